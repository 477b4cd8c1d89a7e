//! Whole engines in virtual time over a seeded network.
