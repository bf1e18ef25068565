//! The gate's rules: named cases, and properties over random histories.
mod it {
    mod cases;
    mod properties;
}
