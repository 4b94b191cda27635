# A mail hoster's zone as a program writes it: relative names, blanks instead
# of tabs, no class, no TTL; each customer with addresses, texts, aliases, a
# wildcard here and there, and TLSA records at every fourth name. The mail host
# with two TLSA sets stands in the middle.
#
#     awk -v customers=130000 -v digest=HEX -f hoster.awk

function next_random(below) {
    state = (state * 16807) % 2147483647
    return state % below
}

function hex(words,    text) {
    text = ""
    while (words-- > 0) text = text sprintf("%08x", next_random(2147483647))
    return text
}

function base64(octets,    text) {
    text = ""
    while (octets-- > 0) text = text substr(digits, next_random(64) + 1, 1)
    return text
}

function customer(name,    kind) {
    kind = next_random(100)
    print name " A 203.0.113." next_random(256)
    print name " AAAA 2001:db8:" sprintf("%x:%x", next_random(65536), next_random(65536)) "::80"
    print name " MX 10 mx." name
    print name " TXT \"v=spf1 mx ip4:203.0.113." next_random(256) " -all\""
    print name " CAA 0 issue \"ca" next_random(10) ".example.net\""
    print "mx." name " A 198.51.100." next_random(256)
    print "mx." name " AAAA 2001:db8:" sprintf("%x", next_random(65536)) "::25"
    print "_25._tcp.mx." name " TLSA 3 1 1 " hex(8)
    if (kind < 50) print "_587._tcp.mx." name " TLSA 3 1 1 " hex(8)
    if (kind < 20) print "*." name " CNAME " name
    if (kind >= 20 && kind < 60) print "www." name " CNAME " name
    if (kind < 30) print "_submission._tcp." name " SRV 0 1 587 mx." name
    print "_dmarc." name " TXT \"v=DMARC1; p=none; rua=mailto:dmarc@" name ".example.org\""
    print "s1._domainkey." name " TXT \"v=DKIM1; k=rsa; p=" base64(200) "\" \"" base64(160) "QIDAQAB\""
}

function mail_host() {
    print "mail A 192.0.2.25"
    print "mail AAAA 2001:db8::25"
    print "_25._tcp.mail TLSA 3 1 1 " digest
    print "_465._tcp.mail TLSA 3 1 1 " digest
}

BEGIN {
    state = 20260229
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    print "$ORIGIN hoster.example."
    print "$TTL 3600"
    print "@ SOA ns1 hostmaster 2026111801 1800 900 604800 86400"
    print "@ NS ns1"
    print "@ NS ns2"
    print "ns1 A 192.0.2.53"
    print "ns2 A 198.51.100.53"
    for (i = 0; i < customers; i++) {
        if (i == int(customers / 2)) mail_host()
        customer("c" i)
    }
}
