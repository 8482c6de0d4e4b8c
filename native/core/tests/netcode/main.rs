//! Whole endpoints against each other and against hostile bytes, in virtual time.

mod drop_reasons;
mod forge;
mod handshake;
mod hostile;
mod lifecycle;
mod tokens;
mod world;
