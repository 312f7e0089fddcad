//! From an sdist to a wheel with side modules.
