//! Which call a message belongs to.
//!
//! The Call-ID names it, nearly always alone. Only where two calls share one (an engine that calls itself is caller
//! and callee of the same Call-ID; a proxy may fork one INVITE to us twice) the tags tell them apart.

use std::collections::HashMap;

use callbox_events::{CallId, Role};
use callbox_sip::leg::Leg;
use callbox_sip::wire::{Message, Method};
use smallvec::SmallVec;

/// The calls of one thread by their Call-ID; `T` is whatever leads to the call.
#[derive(Debug)]
pub(crate) struct Routes<T> {
    calls: HashMap<Box<str>, SmallVec<[Route<T>; 1]>>,
}

#[derive(Debug)]
struct Route<T> {
    call: CallId,
    role: Role,
    local_tag: Box<str>,
    /// The caller's tag; only a callee needs it, for requests without a To tag.
    from_tag: Box<str>,
    to: T,
}

impl<T> Default for Routes<T> {
    fn default() -> Self {
        Self { calls: HashMap::new() }
    }
}

impl<T> Routes<T> {
    /// Leads messages of this leg to `to`.
    pub(crate) fn add(&mut self, call: CallId, role: Role, leg: &Leg, to: T) {
        let dialog = leg.dialog();
        let from_tag = match role {
            Role::Caller => "",
            Role::Callee => dialog.remote_tag.as_deref().unwrap_or_default(),
        };
        let route =
            Route { call, role, local_tag: dialog.local_tag.as_str().into(), from_tag: from_tag.into(), to };
        match self.calls.get_mut(dialog.sip_call_id.as_str()) {
            Some(routes) => routes.push(route),
            None => {
                self.calls.insert(dialog.sip_call_id.as_str().into(), SmallVec::from_iter([route]));
            }
        }
    }

    /// Forgets a call.
    pub(crate) fn remove(&mut self, sip_call_id: &str, call: CallId) {
        if let Some(routes) = self.calls.get_mut(sip_call_id) {
            routes.retain(|route| route.call != call);
            if routes.is_empty() {
                self.calls.remove(sip_call_id);
            }
        }
    }

    /// The call that this message belongs to, if there is one.
    pub(crate) fn find(&self, message: &Message) -> Option<&T> {
        let routes = self.calls.get(message.call_id())?;
        let found = if message.is_request() && may_lack_to_tag(message.method()) && message.to_tag().is_none()
        {
            let from_tag = message.from_tag().unwrap_or_default();
            routes.iter().find(|route| route.role == Role::Callee && *route.from_tag == *from_tag)
        } else if let [only] = routes.as_slice() {
            // A wrong tag is for its leg to answer.
            Some(only)
        } else {
            let ours = if message.is_request() { message.to_tag() } else { message.from_tag() };
            routes.iter().find(|route| Some(&*route.local_tag) == ours)
        };
        found.map(|route| &route.to)
    }
}

/// Requests that exist outside of a dialog: the INVITE and what goes with it.
fn may_lack_to_tag(method: &Method) -> bool {
    matches!(method, Method::Invite | Method::Cancel | Method::Ack)
}
