//! The sans-IO core of a call: machine, leg, timers and the commit that waits for its ack.
