//! A user's id among the servers of a cluster.

use crate::chat::user_id::UserId;
use crate::cluster::NodeId;
use crate::pack::{Damaged, Pack, Packer, Unpacker};

/// A user, for every server: which node they are connected to, and their id there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::chat) struct Who {
    pub(in crate::chat) node: NodeId,
    pub(in crate::chat) user: UserId,
}

impl Pack for Who {
    fn pack(&self, to: &mut Packer) {
        let Who { node, user } = self;
        to.put(node).put(user);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Who, Damaged> {
        Ok(Who { node: from.get()?, user: from.get()? })
    }
}
