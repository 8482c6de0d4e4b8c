//! Whole endpoints against each other and against hostile bytes, in virtual time.

mod admission;
mod admission_live;
mod drop_reasons;
mod edges;
mod floods;
mod forge;
mod handshake;
mod hostile;
mod lifecycle;
mod parts;
mod tokens;
mod world;
