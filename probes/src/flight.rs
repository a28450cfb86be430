//! One flight for many askers: a value made once and shared for as long as it is fresh.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};

type Value<V> = Shared<BoxFuture<'static, V>>;

/// Values by key, each made in a task of its own, so that an asker that gives up does not take it
/// from the others.
pub(crate) struct Flights<K, V> {
    flights: Mutex<HashMap<K, (Instant, Value<V>)>>,
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self { flights: Mutex::default() }
    }
}

impl<K: Eq + Hash, V: Clone + Send + Sync + 'static> Flights<K, V> {
    /// The value of `key`, and whether it was made for this asker: one that is under way is waited
    /// for, and one that is there is taken while `fresh` says so of it and of its age.
    pub(crate) async fn get<F>(
        &self,
        key: K,
        fresh: impl Fn(&V, Duration) -> bool,
        make: impl FnOnce() -> F,
    ) -> (V, bool)
    where
        F: Future<Output = V> + Send + 'static,
    {
        let (value, made) = {
            let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
            let usable = flights.get(&key).filter(|(since, value)| {
                value.peek().is_none_or(|value| fresh(value, since.elapsed()))
            });
            match usable {
                Some((_, value)) => (value.clone(), false),
                None => {
                    let value = launch(make());
                    flights.insert(key, (Instant::now(), value.clone()));
                    (value, true)
                }
            }
        };
        (value.await, made)
    }
}

fn launch<V, F>(make: F) -> Value<V>
where
    V: Clone + Send + Sync + 'static,
    F: Future<Output = V> + Send + 'static,
{
    let task = tokio::spawn(make);
    async move {
        match task.await {
            Ok(value) => value,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is shutting down, and with it whoever asked.
            Err(_) => std::future::pending().await,
        }
    }
    .boxed()
    .shared()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn many_askers_make_one_flight() {
        let flights = Flights::default();
        let made = std::sync::Arc::new(AtomicU32::new(0));
        let ask = || {
            let made = made.clone();
            flights.get("key", |_, _| true, || async move { made.fetch_add(1, Ordering::SeqCst) })
        };
        let (first, second, third) = tokio::join!(ask(), ask(), ask());
        assert_eq!([first.0, second.0, third.0], [0, 0, 0]);
        assert_eq!([first.1, second.1, third.1], [true, false, false]);
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_stale_value_is_made_again() {
        let flights = Flights::default();
        assert_eq!(flights.get(1, |_, _| false, || async { "old" }).await, ("old", true));
        assert_eq!(flights.get(1, |_, _| false, || async { "new" }).await, ("new", true));
        assert_eq!(flights.get(1, |_, _| true, || async { "newer" }).await, ("new", false));
    }
}
