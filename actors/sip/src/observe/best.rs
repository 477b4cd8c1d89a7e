//! Which of several branches' failures a proxy passes on (RFC 3261 §16.7, step 6): a 6xx before all, else one of the lowest
//! class, there one that the caller can do something about. Within what the RFC leaves open the lowest status, as the
//! usual proxies do.

use callbox_events::sip::Response;

/// Statuses of 4xx that a caller may overcome.
const PREFERRED: [u16; 5] = [401, 407, 415, 420, 484];

/// The best failure so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Best {
    response: Option<Response>,
    /// Whether it came after the others, so that it was told when it came.
    told: bool,
}

impl Best {
    /// Takes the next failure in; whether it is the best so far.
    pub(super) fn take(&mut self, response: &Response) -> bool {
        let better = self.response.as_ref().is_none_or(|best| rank(response.status) <= rank(best.status));
        if better {
            self.response = Some(response.clone());
        }
        self.told = better;
        better
    }

    /// Whether one branch declined for all of them.
    pub(super) fn is_for_all(&self) -> bool {
        self.response.as_ref().is_some_and(|best| best.status >= 600)
    }

    /// The best one if it came before the last; once.
    pub(super) fn take_earlier(&mut self) -> Option<Response> {
        let earlier = !std::mem::replace(&mut self.told, true);
        self.response.clone().filter(|_| earlier)
    }
}

/// The lower, the better.
fn rank(status: u16) -> (u16, bool, u16) {
    let class = if status >= 600 { 0 } else { status / 100 };
    (class, !PREFERRED.contains(&status), status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_response_is_the_one_of_rfc_3261() {
        for (statuses, best) in [
            (&[486][..], 486),
            (&[486, 404], 404),
            (&[404, 486], 404),
            (&[486, 603, 404], 603),
            (&[503, 486], 486),
            (&[302, 486, 500], 302),
            (&[404, 407, 486], 407),
            (&[408, 484], 484),
        ] {
            let mut chosen = Best::default();
            let mut last = false;
            for status in statuses {
                last = chosen.take(&Response { status: *status, ..Response::default() });
            }
            assert_eq!(chosen.response.as_ref().map(|response| response.status), Some(best), "{statuses:?}");
            assert_eq!(last, statuses.last() == Some(&best), "{statuses:?}");
            assert_eq!(chosen.take_earlier().is_some(), !last, "{statuses:?}");
            assert_eq!(chosen.take_earlier(), None, "{statuses:?}: once");
        }
    }
}
