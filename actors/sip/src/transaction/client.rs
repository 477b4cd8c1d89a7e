//! The client transaction of any request but INVITE and ACK: RFC 3261 §17.1.2.2.

use super::table::Action::{Absorb, Arm, Disarm, Fail, Report, Send, SendAgain, TimeOut};
use super::table::Input::{Broken, Failure, Provisional, Start, Success, Timer as Due};
use super::table::State::{Completed, Proceeding, Terminated, Trying};
use super::table::Timer::{E, F, K};
use super::table::{Row, row};

/// The machine.
pub const TABLE: &[Row] = &[
    row(Trying, Start, Trying, &[Send, Arm(E), Arm(F)]),
    row(Trying, Due(E), Trying, &[SendAgain, Arm(E)]),
    row(Trying, Due(F), Terminated, &[TimeOut]),
    row(Trying, Broken, Terminated, &[Fail]),
    row(Trying, Provisional, Proceeding, &[Report]),
    row(Trying, Success, Completed, &[Disarm(E), Disarm(F), Arm(K), Report]),
    row(Trying, Failure, Completed, &[Disarm(E), Disarm(F), Arm(K), Report]),
    row(Proceeding, Due(E), Proceeding, &[SendAgain, Arm(E)]),
    row(Proceeding, Due(F), Terminated, &[TimeOut]),
    row(Proceeding, Broken, Terminated, &[Fail]),
    row(Proceeding, Provisional, Proceeding, &[Report]),
    row(Proceeding, Success, Completed, &[Disarm(E), Disarm(F), Arm(K), Report]),
    row(Proceeding, Failure, Completed, &[Disarm(E), Disarm(F), Arm(K), Report]),
    row(Completed, Success, Completed, &[Absorb]),
    row(Completed, Failure, Completed, &[Absorb]),
    row(Completed, Due(K), Terminated, &[]),
];
