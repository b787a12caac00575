use super::*;
use dovetail_abi::handle::{Interface, TypedSlot};
use std::{future::Future, task::Context};

dovetail_abi::interface! {
    /// A provider to tell apart.
    pub interface Numbered, provider NumberedProvider, table NumberedVt = "test.numbered/1" {
        /// Its number.
        now fn number() -> Result<u32, CallFailure>;
    }
}

struct Mine(u32);
impl NumberedProvider for Mine {
    fn number(&self) -> Result<u32, CallFailure> {
        Ok(self.0)
    }
}

fn provider(number: u32) -> AnyHandle {
    Numbered::new(Mine(number)).erase()
}

fn number(answer: Result<Numbered, CallFailure>) -> Result<u32, CallFailure> {
    answer.and_then(|provider| provider.number())
}

fn user(place: &Place) -> TypedSlot<Numbered> {
    TypedSlot::new(place.slot())
}

/// Polls once; `None`: it waits.
fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

fn waiting(place: &Place) -> usize {
    place.0.waiting.load(Ordering::Relaxed)
}

#[tokio::test]
async fn new_work_waits_for_the_next_provider_and_old_work_is_finished_with_the_old_one() {
    let place = Place::default();
    let user = user(&place);
    assert_eq!(number(user.get()), Err(CallFailure::Unavailable));
    assert_eq!(number(user.ready().await), Err(CallFailure::Unavailable), "nobody is awaited at an empty place");
    place.fill(provider(1));
    assert_eq!((number(user.get()), number(user.ready().await)), (Ok(1), Ok(1)));

    place.hold();
    let mut new = pin!(user.ready());
    assert!(poll(new.as_mut()).is_none());
    assert_eq!(number(user.get()), Ok(1));
    place.cease();
    assert_eq!(number(user.get()), Err(CallFailure::Held));
    assert!(poll(new.as_mut()).is_none());
    assert_eq!(waiting(&place), 1);
    place.fill(provider(2));
    assert_eq!(number(new.await), Ok(2));
    assert_eq!((number(user.get()), waiting(&place)), (Ok(2), 0));
}

#[tokio::test]
async fn a_place_that_is_held_no_more_is_what_it_was() {
    let places = super::super::places::Places::default();
    let place = places.place("store", "test.numbered/1");
    place.fill(provider(1));
    let held = places.hold("store");
    assert_eq!(held.providers(), 1);
    let user = user(&place);
    let mut new = pin!(user.ready());
    assert!(poll(new.as_mut()).is_none());
    drop(held);
    assert_eq!(number(new.await), Ok(1));

    let held = places.hold("store");
    held.cease();
    assert_eq!(held.providers(), 0);
    let mut new = pin!(user.ready());
    assert!(poll(new.as_mut()).is_none());
    drop(held);
    assert_eq!(number(new.await), Err(CallFailure::Unavailable), "nobody came");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever() {
    let place = Place::default();
    place.fill(provider(1));
    place.hold();
    let began = tokio::time::Instant::now();
    assert_eq!(number(user(&place).ready().await), Err(CallFailure::Held));
    assert_eq!((began.elapsed(), waiting(&place)), (WAIT_LIMIT, 0));
}

#[tokio::test]
async fn only_so_many_wait_and_who_gives_up_makes_room() {
    let place = Place::default();
    place.hold();
    let user = user(&place);
    let mut all: Vec<_> = (0..MAX_WAITING).map(|_| Box::pin(user.ready())).collect();
    assert!(all.iter_mut().all(|one| poll(one.as_mut()).is_none()));
    assert_eq!(waiting(&place), MAX_WAITING);
    assert_eq!(number(user.ready().await), Err(CallFailure::Held));
    assert_eq!(waiting(&place), MAX_WAITING, "who was refused does not count");
    all.pop();
    let mut another = Box::pin(user.ready());
    assert!(poll(another.as_mut()).is_none());
    drop(all);
    assert_eq!(waiting(&place), 1);
    place.fill(provider(7));
    assert_eq!(number(another.await), Ok(7));
}

/// Whoever looked at the place just before it was held has, or gets, a handle that counts.
#[tokio::test]
async fn who_came_before_is_a_holder() {
    let object = Arc::new(dovetail_abi::contained::Contained::new(Mine(1)));
    let place = Place::default();
    place.fill(Numbered::export(object.clone()).erase());
    let looked = place.0.state.load();
    place.hold();
    assert_eq!(Arc::strong_count(&object), 3, "this test's, the held place's, and the one that was seen");
    drop(looked);
    assert_eq!(Arc::strong_count(&object), 2);
    place.cease();
    assert_eq!(Arc::strong_count(&object), 1);
}
