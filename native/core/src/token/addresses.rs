//! The list of server addresses, laid out alike in both parts of a connect token.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::bytes::{Reader, Writer};
use crate::error::TokenError;
use crate::limits::TOKEN_ADDRESSES_MAX;
use crate::path::canonical_address;

const TYPE_IPV4: u8 = 1;
const TYPE_IPV6: u8 = 2;

/// 1 to 32 canonical server addresses, without a heap.
#[derive(Clone, Copy)]
pub struct AddressList {
    count: usize,
    items: [SocketAddr; TOKEN_ADDRESSES_MAX],
}

impl AddressList {
    pub fn new(addresses: &[SocketAddr]) -> Result<Self, TokenError> {
        if addresses.is_empty() || addresses.len() > TOKEN_ADDRESSES_MAX {
            return Err(TokenError::AddressCount);
        }
        let mut list = Self::empty();
        for (item, address) in list.items.iter_mut().zip(addresses) {
            *item = canonical_address(*address);
            list.count += 1;
        }
        Ok(list)
    }

    pub fn as_slice(&self) -> &[SocketAddr] {
        self.items.get(..self.count).unwrap_or(&[])
    }

    fn empty() -> Self {
        let unset = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        Self {
            count: 0,
            items: [unset; TOKEN_ADDRESSES_MAX],
        }
    }

    pub(crate) fn read(reader: &mut Reader) -> Result<Self, TokenError> {
        let count = reader.u32().ok_or(TokenError::Length)?;
        if count == 0 || count > TOKEN_ADDRESSES_MAX as u32 {
            return Err(TokenError::AddressCount);
        }
        let mut list = Self::empty();
        list.count = count as usize;
        for item in list.items.iter_mut().take(list.count) {
            *item = canonical_address(read_address(reader)?);
        }
        Ok(list)
    }

    pub(crate) fn write(&self, writer: &mut Writer) -> Option<()> {
        writer.u32(self.count as u32)?;
        for address in self.as_slice() {
            match address.ip() {
                IpAddr::V4(v4) => {
                    writer.u8(TYPE_IPV4)?;
                    writer.bytes(&v4.octets())?;
                }
                IpAddr::V6(v6) => {
                    writer.u8(TYPE_IPV6)?;
                    for segment in v6.segments() {
                        writer.u16(segment)?;
                    }
                }
            }
            writer.u16(address.port())?;
        }
        Some(())
    }
}

impl core::fmt::Debug for AddressList {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.as_slice().fmt(f)
    }
}

impl PartialEq for AddressList {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for AddressList {}

fn read_address(reader: &mut Reader) -> Result<SocketAddr, TokenError> {
    let ip = match reader.u8().ok_or(TokenError::Length)? {
        TYPE_IPV4 => {
            let octets: &[u8; 4] = reader.array().ok_or(TokenError::Length)?;
            IpAddr::V4(Ipv4Addr::from(*octets))
        }
        TYPE_IPV6 => {
            let mut segments = [0u16; 8];
            for segment in &mut segments {
                *segment = reader.u16().ok_or(TokenError::Length)?;
            }
            IpAddr::V6(Ipv6Addr::from(segments))
        }
        _ => return Err(TokenError::AddressType),
    };
    Ok(SocketAddr::new(ip, reader.u16().ok_or(TokenError::Length)?))
}
