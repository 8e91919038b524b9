//! A new process in place of the old one: all that the hub knows is packed, and unpacked by a
//! new hub over the same streams. Nobody may notice, above all not the model.

use std::collections::BTreeMap;

use chinwag::{Chat, Hub, Packer, Unpacker};

use super::record::Recorder;
use super::rng::Rng;
use super::world::World;

impl World {
    /// Replaces the hub by one that knows what it has packed.
    pub(super) fn hand_over(&mut self) {
        self.journal.hit("handed over");
        let now = self.now();
        self.hub.pass(now);
        let mut packer = Packer::new(now);
        self.hub.freeze(&mut packer);
        self.drop_closed();
        let bytes = packer.finish();
        let chat = Chat::new(self.rules.settings());
        let nobody = Recorder::new(chat, self.journal.clone(), Rng::new(0), now.monotonic);
        let placeholder = Hub::new(nobody, &self.limits, now);
        let (service, streams) = std::mem::replace(&mut self.hub, placeholder).into_parts();
        let mut streams: BTreeMap<_, _> = streams.collect();
        let mut unpacker = Unpacker::new(&bytes, now).expect("it is packed here");
        let thawed =
            Hub::thaw(service, &self.limits, now, &mut unpacker, |slot| streams.remove(&slot));
        self.hub = thawed.expect("it is packed here");
        unpacker.finish().expect("all of it is unpacked");
        assert!(streams.is_empty(), "each stream is a connection's");
    }
}
