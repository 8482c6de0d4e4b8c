//! Errors of the cold surface: a kebab-case code for programs and one line for people.

use std::fmt;
use std::io;

/// What went wrong, as the `code` of the JavaScript error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    AddressInUse,
    PermissionDenied,
    BadAddress,
    BadToken,
    BadKey,
    BadOption,
    Closed,
    UnsupportedPlatform,
    AddonMismatch,
    OutOfMemory,
    Io,
    Internal,
}

impl AsRef<str> for Code {
    fn as_ref(&self) -> &str {
        match self {
            Self::AddressInUse => "address-in-use",
            Self::PermissionDenied => "permission-denied",
            Self::BadAddress => "bad-address",
            Self::BadToken => "bad-token",
            Self::BadKey => "bad-key",
            Self::BadOption => "bad-option",
            Self::Closed => "closed",
            Self::UnsupportedPlatform => "unsupported-platform",
            Self::AddonMismatch => "addon-mismatch",
            Self::OutOfMemory => "out-of-memory",
            Self::Io => "io-error",
            Self::Internal => "internal-error",
        }
    }
}

/// A refused call: the code and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: Code,
    pub message: String,
}

pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The typed form of an operating system error while doing `what`.
    pub fn from_io(what: &str, error: &io::Error) -> Self {
        let code = match error.raw_os_error() {
            Some(libc::EADDRINUSE) => Code::AddressInUse,
            Some(libc::EACCES | libc::EPERM) => Code::PermissionDenied,
            Some(libc::EADDRNOTAVAIL | libc::EAFNOSUPPORT) => Code::BadAddress,
            Some(libc::ENOMEM | libc::ENOBUFS | libc::EMFILE | libc::ENFILE) => Code::OutOfMemory,
            _ => Code::Io,
        };
        Self::new(code, format!("{what}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_ref(), self.message)
    }
}

impl std::error::Error for Failure {}
