//! May the new key go live? Facts about what every name server serves, what was
//! seen before, and the moment, in; a verdict out. Nothing here asks anybody.

pub mod evidence;
