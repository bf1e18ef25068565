//! The judgement: named cases, explanations, a model of the Pact Broker's rules, and properties over random histories.
mod it {
    mod cases;
    mod explanations;
    mod properties;
    mod upstream;
}
