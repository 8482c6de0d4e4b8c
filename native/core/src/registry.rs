use std::sync::Arc;

/// Who has used which token, and which client id lives where: one per process in production.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    _shared: Arc<()>,
}

impl Registry {
    /// A registry of its own, for tests and simulated machines.
    pub fn isolated() -> Self {
        Self::default()
    }
}
