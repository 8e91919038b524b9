//! A new process in place of the old one: all that the hub knows is packed, and unpacked by a
//! new hub over the same streams. Nobody may notice, above all not the model.

use std::collections::BTreeMap;

use chinwag::chat::Settings;
use chinwag::{Chat, HandOver, Hub, Now, Packer, Unpacker};

use super::journal::{EVERYBODY, Fact};
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
        self.journal.note(EVERYBODY, Fact::Settling);
        self.hub.flush_all();
        self.drop_closed();
        self.journal.note(EVERYBODY, Fact::Settled);
        self.hub.pack(&mut packer);
        let bytes = packer.finish();
        let chat = Chat::new(self.rules.settings());
        let nobody = Recorder::new(chat, self.journal.clone(), Rng::new(0), now.monotonic);
        let placeholder = Hub::new(nobody, &self.limits, now);
        let (mut service, streams) = std::mem::replace(&mut self.hub, placeholder).into_parts();
        service.hand_over(self.rules.settings(), now);
        let mut streams: BTreeMap<_, _> = streams.collect();
        let mut unpacker = Unpacker::new(&bytes, now).expect("it is packed here");
        let thawed =
            Hub::thaw(service, &self.limits, now, &mut unpacker, |slot| streams.remove(&slot));
        self.hub = thawed.expect("it is packed here");
        unpacker.finish().expect("all of it is unpacked");
        assert!(streams.is_empty(), "each stream is a connection's");
    }
}

impl Recorder {
    /// The chat is another, too.
    fn hand_over(&mut self, settings: Settings, now: Now) {
        let mut packer = Packer::new(now);
        self.chat.pack(&mut packer);
        let bytes = packer.finish();
        let mut unpacker = Unpacker::new(&bytes, now).expect("it is packed here");
        self.chat = Chat::unpack(settings, &mut unpacker).expect("it is packed here");
        unpacker.finish().expect("all of it is unpacked");
    }
}
