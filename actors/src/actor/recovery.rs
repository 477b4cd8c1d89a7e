//! The calls of a former engine get their actors again.

use std::rc::Rc;

use callbox_events::schema::Commit;

use super::call::First;
use super::shard::Shard;
use crate::core::CallCore;

impl Shard {
    /// Goes on with the calls that belong here.
    pub(super) fn recover(self: &Rc<Self>, calls: &[Vec<Commit>]) {
        let listening = self.transports().map(|transports| transports.listening()).unwrap_or_default();
        for commits in calls {
            let Some(dialog) = commits.first().and_then(Commit::first_dialog) else { continue };
            if !self.place.holds(&dialog.sip_call_id) {
                continue;
            }
            let Some(seat) = self.seats.again(&self.config, listening, dialog) else {
                tracing::error!("a call can't be recovered: its transport is not listened on");
                continue;
            };
            match CallCore::restore(self.now(), commits, &seat) {
                Ok(core) => {
                    let role = core.call().profile.as_ref().map(|profile| profile.role);
                    if let Some(role) = role {
                        self.adopt(core, role, First::Recover);
                    }
                }
                Err(error) => tracing::error!(%error, "a call can't be recovered"),
            }
        }
    }
}
