//! The server transaction of any request but INVITE and ACK: RFC 3261 §17.2.2.

use super::table::Action::{Absorb, Arm, Fail, Report, Send, SendAgain};
use super::table::Input::{Again, Broken, SendFailure, SendProvisional, SendSuccess, Start, Timer as Due};
use super::table::State::{Completed, Proceeding, Terminated, Trying};
use super::table::Timer::J;
use super::table::{Row, row};

/// The machine.
pub const TABLE: &[Row] = &[
    row(Trying, Start, Trying, &[Report]),
    row(Trying, Again, Trying, &[Absorb]),
    row(Trying, SendProvisional, Proceeding, &[Send]),
    row(Trying, SendSuccess, Completed, &[Send, Arm(J)]),
    row(Trying, SendFailure, Completed, &[Send, Arm(J)]),
    row(Trying, Broken, Trying, &[Fail]),
    row(Proceeding, Again, Proceeding, &[Absorb, SendAgain]),
    row(Proceeding, SendProvisional, Proceeding, &[Send]),
    row(Proceeding, SendSuccess, Completed, &[Send, Arm(J)]),
    row(Proceeding, SendFailure, Completed, &[Send, Arm(J)]),
    row(Proceeding, Broken, Terminated, &[Fail]),
    row(Completed, Again, Completed, &[Absorb, SendAgain]),
    row(Completed, Due(J), Terminated, &[]),
    row(Completed, Broken, Terminated, &[Fail]),
];
