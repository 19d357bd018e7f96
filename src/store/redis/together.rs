//! Several questions at once, in one task: whoever drops the whole drops them all.

use std::pin::Pin;
use std::task::Poll;

/// Asks all at once, and resolves with all answers in their order.
pub(super) async fn together<F: Future>(questions: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut open: Vec<_> = questions.into_iter().map(|f| (Box::pin(f), None)).collect();
    std::future::poll_fn(|context| {
        for (question, answer) in open.iter_mut().filter(|(_, answer)| answer.is_none()) {
            if let Poll::Ready(said) = Pin::new(question).poll(context) {
                *answer = Some(said);
            }
        }
        match open.iter().all(|(_, answer)| answer.is_some()) {
            true => Poll::Ready(open.drain(..).filter_map(|(_, answer)| answer).collect()),
            false => Poll::Pending,
        }
    })
    .await
}
