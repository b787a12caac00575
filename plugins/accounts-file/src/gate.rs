//! Where password checks wait their turn.
//!
//! A hash costs tens of milliseconds and 19 MiB by design, so only a few run at once, on threads that may block. Equal
//! attempts that meet here share one hash: a hundred connections that log in to one account at the same moment cost one.
//!
//! **Fails** with [`GateError::Full`] when too many wait; the client is told to try later. **Bounds**: hashes that run, and
//! hashes that wait. A client that goes away while its hash runs does not make room early: the thread is still busy.

use crate::cache::Ticket;
use dovetail_sdk::task;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OnceCell, Semaphore};

/// See the module.
#[derive(Debug)]
pub struct Gate {
    /// One permit for each hash that runs or waits.
    room: Arc<Semaphore>,
    /// One permit for each hash that runs.
    turns: Arc<Semaphore>,
    flights: Flights,
}

/// Why a check was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// Too many wait.
    #[error("too many password checks wait; more may run or wait with `max_parallel_hashes` and `max_waiting_hashes`")]
    Full,
    /// The check ended without a result.
    #[error("the password check was cut off")]
    CutOff,
}

type Flights = Arc<Mutex<HashMap<Ticket, Arc<OnceCell<bool>>>>>;

impl Gate {
    /// A gate that lets `running` through at once and lets `waiting` more wait.
    pub fn new(running: usize, waiting: usize) -> Self {
        Gate {
            room: Arc::new(Semaphore::new(running.saturating_add(waiting).min(Semaphore::MAX_PERMITS))),
            turns: Arc::new(Semaphore::new(running.min(Semaphore::MAX_PERMITS))),
            flights: Flights::default(),
        }
    }

    /// Runs a check in its turn, or shares the result of one with the same ticket.
    ///
    /// # Errors
    /// See [`GateError`].
    pub async fn pass(&self, ticket: Ticket, check: impl FnOnce() -> bool + Send + 'static) -> Result<bool, GateError> {
        let flight = Flight::join(&self.flights, ticket);
        flight.result.get_or_try_init(|| self.run(check)).await.copied()
    }

    /// Takes all room until it is dropped.
    #[cfg(test)]
    pub fn fill(&self) -> impl Drop + '_ {
        let all = u32::try_from(self.room.available_permits()).unwrap();
        self.room.try_acquire_many(all).unwrap()
    }

    async fn run(&self, check: impl FnOnce() -> bool + Send + 'static) -> Result<bool, GateError> {
        let place = self.room.clone().try_acquire_owned().map_err(|_| GateError::Full)?;
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| GateError::CutOff)?;
        let work = move || {
            // They are given back when the thread is done, not when the caller stops waiting.
            let _held = (place, turn);
            check()
        };
        task::spawn_blocking(work).await.map_err(|_| GateError::CutOff)
    }
}

/// Taking part in a check. The last one to leave removes it.
struct Flight<'a> {
    flights: &'a Flights,
    ticket: Ticket,
    result: Arc<OnceCell<bool>>,
}

impl<'a> Flight<'a> {
    fn join(flights: &'a Flights, ticket: Ticket) -> Self {
        let mut all = flights.lock().unwrap_or_else(PoisonError::into_inner);
        let result = all.entry(ticket).or_default().clone();
        Flight { flights, ticket, result }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut all = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        // Copies are made under this lock only: two are the map's and ours.
        if Arc::strong_count(&self.result) == 2 {
            all.remove(&self.ticket);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dovetail_testkit::TestHost;
    use std::sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    };

    /// A check that says when it runs, and ends when it is told the result.
    fn slow() -> (impl FnOnce() -> bool + Send + 'static, tokio::sync::oneshot::Receiver<()>, mpsc::Sender<bool>) {
        let (started, running) = tokio::sync::oneshot::channel();
        let (end, ended) = mpsc::channel();
        let check = move || {
            let _ = started.send(());
            ended.recv().unwrap_or(false)
        };
        (check, running, end)
    }

    #[tokio::test]
    async fn equal_attempts_share_one_check() {
        let host = TestHost::new();
        host.run(async {
            let gate = Gate::new(1, 0);
            let (check, running, end) = slow();
            let extra = AtomicUsize::new(0);
            let others = async {
                running.await.unwrap();
                let more = || {
                    extra.fetch_add(1, Ordering::Relaxed);
                    gate.pass([1; 32], || panic!("a second check"))
                };
                let tell = async {
                    end.send(true).unwrap();
                };
                tokio::join!(more(), more(), tell)
            };
            let (first, (second, third, ())) = tokio::join!(gate.pass([1; 32], check), others);
            assert_eq!((first, second, third), (Ok(true), Ok(true), Ok(true)));
            assert!(gate.flights.lock().unwrap().is_empty(), "nothing stays behind");
            assert_eq!(gate.pass([1; 32], || false).await, Ok(false), "a result is not kept");
        })
        .await;
    }

    #[tokio::test]
    async fn too_many_are_turned_away_and_the_place_comes_back() {
        let host = TestHost::new();
        host.run(async {
            let gate = Gate::new(1, 0);
            let (check, running, end) = slow();
            let other = async {
                running.await.unwrap();
                let answer = gate.pass([2; 32], || true).await;
                end.send(false).unwrap();
                answer
            };
            let (first, second) = tokio::join!(gate.pass([1; 32], check), other);
            assert_eq!((first, second), (Ok(false), Err(GateError::Full)));
            assert_eq!(gate.pass([2; 32], || true).await, Ok(true));
        })
        .await;
    }

    #[tokio::test]
    async fn a_client_that_leaves_does_not_free_its_thread() {
        let host = TestHost::new();
        host.run(async {
            let gate = Gate::new(1, 0);
            let (check, running, end) = slow();
            tokio::select! {
                biased;
                _ = gate.pass([1; 32], check) => panic!("it has not ended"),
                _ = running => {}
            }
            assert!(gate.flights.lock().unwrap().is_empty());
            assert_eq!(gate.pass([2; 32], || true).await, Err(GateError::Full));
            end.send(true).unwrap();
        })
        .await;
    }

    #[tokio::test]
    async fn a_check_that_panics_is_no_answer() {
        let host = TestHost::new();
        host.run(async {
            let gate = Gate::new(1, 0);
            assert_eq!(gate.pass([1; 32], || panic!("on purpose")).await, Err(GateError::CutOff));
            assert_eq!(gate.pass([1; 32], || true).await, Ok(true));
        })
        .await;
    }
}
