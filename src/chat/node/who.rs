//! A user's id among the servers of a cluster.

use crate::chat::user_id::UserId;
use crate::cluster::NodeId;
use crate::pack::impl_pack;

/// A user as all servers of the cluster know them: which node they are connected to, and their id
/// there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::chat) struct Who {
    pub(in crate::chat) node: NodeId,
    pub(in crate::chat) user: UserId,
}

impl_pack! {
    struct Who { node, user }
}
