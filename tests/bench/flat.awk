# A registry's zone as a transfer shows it: absolute names, tabs, one record a
# line; mostly delegations, with DS and glue, and some hosts of every other
# kind. The mail host with two TLSA sets stands in the middle.
#
#     awk -v names=1000000 -v digest=HEX -f flat.awk
#
# The same arguments give the same octets: no rand(), whose numbers differ
# from one awk to the next.

function next_random(below) {
    state = (state * 16807) % 2147483647
    return state % below
}

function hex(words,    text) {
    text = ""
    while (words-- > 0) text = text sprintf("%08x", next_random(2147483647))
    return text
}

# Sorted, because a transfer is: the number in letters, and a tail of some length.
function name_of(i,    text, n, at) {
    text = ""
    n = i * spread
    for (at = 0; at < 5; at++) {
        text = substr(letters, n % 26 + 1, 1) text
        n = int(n / 26)
    }
    return text substr(tails, next_random(200) + 1, next_random(12))
}

function line(owner, type, data) {
    print owner "\t86400\tIN\t" type "\t" data
}

function mail_host() {
    line("mail.example.", "A", "192.0.2.25")
    line("mail.example.", "AAAA", "2001:db8::25")
    line("_25._tcp.mail.example.", "TLSA", "3 1 1 " digest)
    line("_465._tcp.mail.example.", "TLSA", "3 1 1 " digest)
}

BEGIN {
    state = 20261120
    letters = "abcdefghijklmnopqrstuvwxyz"
    spread = int(11881376 / (names + 1))
    for (i = 0; i < 220; i++) tails = tails substr(letters, next_random(26) + 1, 1)

    line("example.", "SOA", "ns1.example. hostmaster.example. 2026111801 1800 900 604800 86400")
    line("example.", "NS", "ns1.example.")
    line("example.", "NS", "ns2.example.")
    line("example.", "MX", "10 mail.example.")
    line("ns1.example.", "A", "192.0.2.53")
    line("ns2.example.", "A", "198.51.100.53")

    for (i = 0; i < names; i++) {
        if (i == int(names / 2)) mail_host()
        name = name_of(i) ".example."
        kind = next_random(100)
        if (kind < 88) {
            hoster = next_random(5000)
            line(name, "NS", "ns1.hoster" hoster ".example.net.")
            line(name, "NS", "ns2.hoster" hoster ".example.net.")
            if (kind < 6) line(name, "DS", next_random(65536) " 13 2 " hex(8))
        } else if (kind < 94) {
            line(name, "NS", "ns1." name)
            line("ns1." name, "A", "198.51.100." next_random(256))
            line("ns1." name, "AAAA", sprintf("2001:db8:%x::53", next_random(65536)))
        } else if (kind < 97) {
            line(name, "A", "203.0.113." next_random(256))
            line(name, "AAAA", sprintf("2001:db8:%x::80", next_random(65536)))
        } else if (kind < 98) {
            line(name, "CNAME", "web" next_random(100) ".example.org.")
        } else {
            line(name, "MX", "10 mail.example.")
            line(name, "TXT", "\"v=spf1 mx ip4:203.0.113." next_random(256) " -all\"")
        }
    }
}
