//! From what a network interface saw to datagrams: links, IP, fragments.

pub mod fragments;
pub mod ip;
pub mod link;
