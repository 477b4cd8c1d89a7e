//! The INVITE client transaction: RFC 3261 §17.1.1.2 with the Accepted state of RFC 6026 §7.2.

use super::table::Action::{Absorb, Arm, Disarm, Fail, Report, Send, SendAck, SendAgain, TimeOut};
use super::table::Input::{Broken, Cancel, Failure, Provisional, Start, Success, Timer};
use super::table::State::{Accepted, Calling, Completed, Proceeding, Terminated};
use super::table::Timer::{A, B, Cancelled, D, M};
use super::table::{Row, row};

/// The machine.
pub const TABLE: &[Row] = &[
    row(Calling, Start, Calling, &[Send, Arm(A), Arm(B)]),
    row(Calling, Timer(A), Calling, &[SendAgain, Arm(A)]),
    row(Calling, Timer(B), Terminated, &[TimeOut]),
    row(Calling, Broken, Terminated, &[Fail]),
    row(Calling, Provisional, Proceeding, &[Disarm(A), Disarm(B), Report]),
    row(Calling, Success, Accepted, &[Disarm(A), Disarm(B), Arm(M), Report]),
    row(Calling, Failure, Completed, &[Disarm(A), Disarm(B), SendAck, Arm(D), Report]),
    row(Proceeding, Provisional, Proceeding, &[Report]),
    row(Proceeding, Success, Accepted, &[Disarm(Cancelled), Arm(M), Report]),
    row(Proceeding, Failure, Completed, &[Disarm(Cancelled), SendAck, Arm(D), Report]),
    // §9.1: without a final response 64·T1 after the CANCEL, the INVITE counts as cancelled.
    row(Proceeding, Cancel, Proceeding, &[Arm(Cancelled)]),
    row(Proceeding, Timer(Cancelled), Terminated, &[]),
    // Beyond the RFC, which knows failures of sending alone: the answer can't come on a broken connection.
    row(Proceeding, Broken, Terminated, &[Fail]),
    row(Completed, Failure, Completed, &[Absorb, SendAck]),
    row(Completed, Timer(D), Terminated, &[]),
    row(Completed, Broken, Terminated, &[Fail]),
    // RFC 6026 §7.2: every 2xx goes up; the dialog layer knows repeated ones from those of other forks.
    row(Accepted, Success, Accepted, &[Report]),
    row(Accepted, Timer(M), Terminated, &[]),
];
