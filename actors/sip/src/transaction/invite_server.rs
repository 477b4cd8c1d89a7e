//! The INVITE server transaction: RFC 3261 §17.2.1 with the Accepted state of RFC 6026 §7.1.
//!
//! A transport error does not end it (RFC 6026 §8.7): the user hears of it and decides.

use super::table::Action::{Absorb, Arm, Disarm, Fail, Report, Send, SendAgain, SendTrying, TimeOut};
use super::table::Input::{
    Ack, Again, Broken, SendFailure, SendProvisional, SendSuccess, Start, Timer as Due,
};
use super::table::State::{Accepted, Completed, Confirmed, Proceeding, Terminated};
use super::table::Timer::{G, H, I, L, Trying};
use super::table::{Row, row};

/// The machine.
pub const TABLE: &[Row] = &[
    row(Proceeding, Start, Proceeding, &[Report, Arm(Trying)]),
    row(Proceeding, Due(Trying), Proceeding, &[SendTrying]),
    row(Proceeding, Again, Proceeding, &[Absorb, SendAgain]),
    row(Proceeding, SendProvisional, Proceeding, &[Disarm(Trying), Send]),
    row(Proceeding, SendSuccess, Accepted, &[Disarm(Trying), Send, Arm(L)]),
    row(Proceeding, SendFailure, Completed, &[Disarm(Trying), Send, Arm(G), Arm(H)]),
    row(Proceeding, Broken, Proceeding, &[Fail]),
    row(Completed, Again, Completed, &[Absorb, SendAgain]),
    row(Completed, Ack, Confirmed, &[Disarm(G), Disarm(H), Arm(I)]),
    row(Completed, Due(G), Completed, &[SendAgain, Arm(G)]),
    row(Completed, Due(H), Terminated, &[TimeOut]),
    row(Completed, Broken, Completed, &[Fail]),
    row(Confirmed, Ack, Confirmed, &[Absorb]),
    row(Confirmed, Again, Confirmed, &[Absorb]),
    row(Confirmed, Due(I), Terminated, &[]),
    // The 2xx is repeated by the user until the ACK comes, not by the transaction (§13.3.1.4).
    row(Accepted, Again, Accepted, &[Absorb]),
    row(Accepted, Ack, Accepted, &[Report]),
    row(Accepted, SendSuccess, Accepted, &[Send]),
    row(Accepted, Due(L), Terminated, &[]),
    row(Accepted, Broken, Accepted, &[Fail]),
];
