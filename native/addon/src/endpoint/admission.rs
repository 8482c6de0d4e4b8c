//! Live admission settings of a server endpoint.

use ggscale_transport_core::{AdmissionError, AdmissionSettings, Server};

use super::Endpoint;
use crate::io::Io;

impl<I: Io> Endpoint<I> {
    /// `None` at a client.
    pub fn server(&mut self) -> Option<&mut Server> {
        self.peer.server_core()
    }

    /// What ended by it waits in the rx ring when this returns. A client admits nobody: nothing
    /// happens there.
    pub fn set_admission(&mut self, settings: AdmissionSettings) -> Result<(), AdmissionError> {
        let clock = self.clock();
        if let Some(server) = self.server() {
            server.set_admission(clock, settings)?;
        }
        self.refresh_rx();
        self.take_events(clock);
        self.publish();
        Ok(())
    }
}
