//! The SDK's numbers.

/// A callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callback {
    /// A call came in.
    Incoming,
    /// A call went out.
    Outgoing,
    /// It rings.
    Ringback,
    /// Media are set up.
    RtpCreated,
    /// The conversation begins.
    Connected,
    /// The call is over.
    Ended,
    /// Nothing of it is left.
    Destroyed,
    /// The wish to end it was refused.
    EndCallFailed,
}

impl Callback {
    /// Its id.
    pub fn id(self) -> u16 {
        match self {
            Self::Incoming => 2002,
            Self::Outgoing => 2003,
            Self::Ringback => 2004,
            Self::RtpCreated => 2005,
            Self::Connected => 2006,
            Self::Ended => 2007,
            Self::Destroyed => 2008,
            Self::EndCallFailed => 2022,
        }
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
            Self::Ringback => "ringback",
            Self::RtpCreated => "rtp_created",
            Self::Connected => "connected",
            Self::Ended => "ended",
            Self::Destroyed => "destroyed",
            Self::EndCallFailed => "end_call_failed",
        }
    }
}

/// A state of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not there yet, or gone.
    Idle,
    /// Comes in.
    In,
    /// Goes out.
    Out,
    /// A conversation.
    Live,
    /// The same, held.
    Hold,
    /// Over.
    End,
}

impl State {
    /// Its number.
    pub fn number(self) -> u8 {
        match self {
            Self::Idle => 0,
            Self::In => 1,
            Self::Out => 2,
            Self::Live => 3,
            Self::Hold => 4,
            Self::End => 5,
        }
    }
}

/// Every SIP status the SDK has a reason for, in the order of its numbers from 0x61 on.
pub const STATUSES: [u16; 39] = [
    200, 400, 401, 402, 403, 404, 405, 406, 407, 408, 410, 413, 414, 415, 416, 420, 421, 480, 481, 482, 483,
    484, 485, 486, 487, 488, 491, 493, 500, 501, 502, 503, 504, 505, 513, 600, 603, 604, 606,
];

/// What every reason code begins with.
pub const REASON_BASE: u32 = 0x0300_0000;

/// The number of the first status.
pub const FIRST_STATUS: u32 = 0x61;
