//! What JavaScript asks for about NX.

use ggscale_transport_core::{ClientNx, ServerNx};

use crate::error::Result;
use crate::napi_options::bad_option;

pub fn server_nx(name: Option<&str>) -> Result<ServerNx> {
    match name {
        None | Some("allow") => Ok(ServerNx::Allow),
        Some("off") => Ok(ServerNx::Off),
        Some("require") => Ok(ServerNx::Require),
        Some(_) => Err(bad_option("nx is 'off', 'allow' or 'require'")),
    }
}

pub fn client_nx(name: Option<&str>) -> Result<ClientNx> {
    match name {
        None | Some("auto") => Ok(ClientNx::Auto),
        Some("off") => Ok(ClientNx::Off),
        Some("require") => Ok(ClientNx::Require),
        Some(_) => Err(bad_option("nx is 'off', 'auto' or 'require'")),
    }
}
