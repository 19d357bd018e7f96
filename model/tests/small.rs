//! Every case that takes a moment, and the page: what must hold does, what lacks a rule breaks, and
//! docs/model.md says it.

use farebox_model::report::{self, Extent, Report};

#[test]
fn the_protocol_is_as_the_page_says() {
    let report = Report::of(Extent::Light, &mut drop);
    assert_eq!(report.unmet(), Vec::<String>::new());
    let (page, written) = (report.page(), report::written());
    let differ = page.lines().zip(written.lines()).find(|(ought, is)| ought != is);
    assert_eq!(differ, None, "docs/model.md differs: run the model with --write");
    assert_eq!(page.len(), written.len(), "docs/model.md differs: run the model with --write");
}
