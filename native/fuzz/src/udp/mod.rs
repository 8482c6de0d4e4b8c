//! The addon's receive path for one socket, without the rest of the addon: the very files.

#![allow(dead_code)]

pub mod cmsg;
#[path = "../../../addon/src/udp/inbox.rs"]
mod inbox;
#[path = "../../../addon/src/udp/message.rs"]
mod message;
#[path = "../../../addon/src/udp/sys.rs"]
mod sys;
