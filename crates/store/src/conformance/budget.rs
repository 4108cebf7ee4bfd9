//! What was spent of budgets.

use super::{Harness, at, commit, name, opened, run};
use crate::{BudgetChange, BudgetKey, BudgetState, Write};
use consort_types::Amount;

fn key(pool: &str, of_run: Option<u64>, key: Option<&str>) -> BudgetKey {
    BudgetKey {
        namespace: name("lending"),
        run: of_run.map(run),
        pool: name(pool),
        key: key.map(str::to_owned),
    }
}

fn change(budget: &BudgetKey, period: u64, spent: i64, added: i64) -> Write {
    let parts = |units: i64| units * 1_000_000;
    Write::ChangeBudget(Box::new(BudgetChange {
        budget: budget.clone(),
        period: at(period),
        spent_parts: parts(spent),
        added_parts: parts(added),
    }))
}

fn state(budget: &BudgetKey, period: u64, spent: u32, added: u32) -> BudgetState {
    let (spent, added) = (Amount::units(spent), Amount::units(added));
    BudgetState { budget: budget.clone(), period: at(period), spent, added }
}

#[allow(missing_docs)]
pub fn what_was_spent_adds_up_within_its_period(harness: &impl Harness) {
    let mut store = opened(harness);
    let spend = key("spend", None, None);
    commit(&mut store, [change(&spend, 1, 5, 0), change(&spend, 1, 3, 0), change(&spend, 1, -2, 10)]);
    assert_eq!(store.reader.budgets().unwrap(), [state(&spend, 1, 6, 10)]);
    commit(&mut store, [change(&spend, 2, 1, 0)]);
    assert_eq!(store.reader.budgets().unwrap(), [state(&spend, 2, 1, 0)], "a new period begins from nothing");
    commit(&mut store, [change(&spend, 1, 7, 7), change(&spend, 2, -5, 0)]);
    assert_eq!(store.reader.budgets().unwrap(), [state(&spend, 2, 0, 0)], "an old one changes nothing");
}

#[allow(missing_docs)]
pub fn each_key_and_each_run_has_its_budget(harness: &impl Harness) {
    let mut store = opened(harness);
    let [plain, empty, of_run] = [key("b", None, None), key("b", None, Some("")), key("b", Some(1), None)];
    commit(&mut store, [&plain, &empty, &of_run].map(|key| change(key, 1, 1, 0)));
    let mut all = store.reader.budgets().unwrap();
    all.sort_by(|a, b| a.budget.cmp(&b.budget));
    assert_eq!(all, [&plain, &empty, &of_run].map(|key| state(key, 1, 1, 0)));
    commit(&mut store, [Write::ForgetBudgets { run: run(1) }]);
    assert_eq!(store.reader.budgets().unwrap().len(), 2, "with its run a budget is gone");
}
