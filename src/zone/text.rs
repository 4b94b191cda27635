//! Zone text as name servers read it: octets in, entries with all they inherit out.
//!
//! [`words`] and [`scan`] split the text, [`presentation`] checks the data of each
//! record, [`inherit`] knows what a line takes over from those before it, [`reader`]
//! walks the entries of all files. Lines that are plain and far from an edit go a
//! shorter way, through `skim`, to the same end. [`dialect`] finds the places that the
//! table below is about, [`author`] knows the headers of programs, and `census` the
//! aliases and mail hosts of a zone.
//!
//! Where name servers read a text differently, this is the reading taken here:
//!
//! | text | readings | here |
//! | --- | --- | --- |
//! | comment that ends in `\` | BIND, Knot: it ends there; some NSD: it goes on | it ends there |
//! | line end inside quotes | NSD: part of the string; BIND: error | error |
//! | nested parentheses | BIND: fine; NSD, Knot: error | error |
//! | NUL, lone CR, form feed, control-Z | NSD stops reading at NUL; others: error | error |
//! | byte order mark | error everywhere | error |
//! | `1h30` | NSD: fine; BIND: error | error |
//! | unknown `$WORD` | NSD 4.6: dropped; others: error | error |
//! | `$ttl` in lower case | NSD from 4.10: error; others: fine | fine |
//! | `$TTL` in an included file | BIND: stays in force; NSD 4.15, Knot: restored | stays in force |
//! | line without a record that begins with a blank, before a file's first owner | Knot: error | fine, and noted |
//! | owner after an included file | NSD 4.6: the file's last; others: restored | restored |
//! | no TTL and no `$TTL` | BIND: the last stated, else the SOA's minimum; Knot: 3600 | as BIND, and caches may hold the largest; nothing is removed where BIND's last is not the one stated |
//! | TTLs that differ in an RRset | NSD: the first; Knot: the last; BIND: the first of adjacent lines, else the last | kept, and noted |
//! | class other than IN | | error |
//! | `MX 65536`, `CAA -1`: a number out of range | BIND, Knot: error; NSD 4.6: another number | error |
//! | quoted or escaped addresses, numbers, names, digits; a plus sign | NSD: fine; BIND: error | fine, and noted |
//! | `key1=h2`: a service parameter that has a name by its number | BIND, Knot: octets; NSD: mostly text | fine, and noted |
//! | `\# 3 0102`: not the announced length | NSD 4.6: fine; BIND: error | error |
//! | one string of more than 255 octets | Knot: split; BIND, NSD: error | error |
//! | length of DS, SSHFP, ZONEMD digests; NAPTR patterns; X25 | BIND: checked; NSD: not | not checked |
//! | keys of SVCB newer than the server | older servers: error | fine by number, and by the names that are registered |
//! | `\# 3 030101`: octets without the digest, key or text of the type; HIP that does not add up | NSD: fine; BIND: error | error |
//! | a type newer than the server | error | error, unless it is registered or written `TYPEnnn` |
//! | the same SOA twice, also in two spellings | BIND, Knot: one; NSD: error | both changed |
//! | relative `$INCLUDE` path | BIND, NSD: from the working directory; Knot: from the file | from `--directory`, else the main file's folder |
//! | `$GENERATE` | BIND only | checked as BIND does, kept; refused where it makes the name asked for |
//! | `$DATE` | BIND only, in dumps of its cache | error |

pub mod author;
pub(crate) mod census;
pub mod dialect;
pub mod generate;
pub mod inherit;
pub(crate) mod labels;
pub mod presentation;
pub mod rdata;
pub mod reader;
pub mod rtype;
pub mod scan;
pub(crate) mod skim;
pub mod ttl;
pub mod words;
