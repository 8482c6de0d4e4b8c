//! NX between whole endpoints: a simulated kernel that steers, NATs that forget, links that lose,
//! and attackers who see, copy and forge. Virtual time; one seed is the whole world.

mod admission;
mod cids;
#[path = "../netcode/forge.rs"]
#[allow(dead_code)]
mod forge;
mod hostile;
mod keys;
mod negotiation;
mod node;
mod paths;
mod refusals;
mod replaced;
mod required;
mod swarm;
mod traffic;
mod workers;
mod world;
