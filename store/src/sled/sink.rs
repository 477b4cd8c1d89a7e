//! Carries over to sled what is durable in the write-ahead log: in batches, behind everybody's back.
//!
//! One batch is applied, flushed and synced on our own descriptor before the next one begins: the one pattern that was
//! measured to leave sled whole after a power cut. Nothing rests on it, since sled can be made again from the log; but
//! a sled that is whole opens at once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::heal::{Doctor, Healed};
use super::queue::Queue;
use super::quiet::guarded;
use super::room::{Side, with_room};
use super::store::Store;
use super::tree::{Batch, Fault, Tree};
use super::turn;
use super::young::{Item, Work};
use crate::keys;

/// The most bytes of one value: larger ones make leaves that sled puts into files which it never syncs.
const VALUE_BYTES: usize = 4096;

/// Carries over until the young are closed and none is left. If sled fails, it is made again; acknowledgements go on
/// meanwhile.
pub fn run(store: &Arc<Store>, queue: &Queue) {
    let mut doctor = Doctor::default();
    while let Some(work) = store.log.young.ripe() {
        let healed = match work {
            Work::LookInto(volume, why) => doctor.look_into(store, queue, volume, &why),
            Work::CarryOver(items) => {
                if with_room(queue, Side::Sled, || has_room(store)).is_err() {
                    // The next open goes on from the write-ahead log.
                    tracing::warn!("there is no room to carry over to sled what is durable");
                    store.log.young.close();
                    return;
                }
                let Err(fault) = carry_over(store, &items) else { continue };
                doctor.heal(store, queue, &fault)
            }
        };
        match healed {
            Healed::InUse => {}
            Healed::Closed => return,
        }
    }
}

/// Carries these groups over, the oldest that are young.
fn carry_over(store: &Store, items: &[Item]) -> Result<(), Fault> {
    let carry_over = || {
        if let Some(item) = items.first()
            && let Some(rows) = &item.turn
        {
            turn::turn(store, rows, item.seq)?;
        }
        active(store)?.commit(batch(items))
    };
    guarded(carry_over).unwrap_or_else(|panic| Err(Fault::Damage(panic)))?;
    store.table().settle(items.iter().flat_map(|item| &item.rows));
    store.log.young.carried_over(items.len());
    store.counted.batches.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

fn active(store: &Store) -> Result<Arc<Tree>, Fault> {
    let active = store.log.volumes.active().ok_or_else(|| Fault::Io("there is no volume".into()))?;
    store.log.volumes.tree(&active)
}

fn has_room(store: &Store) -> Result<(), Fault> {
    // A sled that does not even open is another trouble.
    active(store).map_or(Ok(()), |tree| tree.has_room())
}

/// What sled is given for these groups.
pub fn batch(items: &[Item]) -> Batch {
    let mut batch = Batch::default();
    for item in items {
        let (first, rest) = item.record.split_at(item.record.len().min(VALUE_BYTES));
        batch.put(&keys::chunk(item.seq), first);
        for (number, part) in (1u16..).zip(rest.chunks(VALUE_BYTES)) {
            batch.put(&keys::part(item.seq, number), part);
        }
        for row in &item.rows {
            batch.put(&row.key, &row.value);
        }
        if let Some(floor) = item.floor {
            batch.put(keys::FLOOR, &floor.to_be_bytes());
        }
    }
    if let Some(last) = items.last() {
        batch.put(keys::PLACE, &last.behind.to_bytes());
    }
    batch
}
