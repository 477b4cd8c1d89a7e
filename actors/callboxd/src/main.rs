//! callbox
fn main() {}
