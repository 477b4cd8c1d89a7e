//! What other tools say of the same captures (to come).
