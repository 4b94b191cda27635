# Every type that people write, each in its turn, so that no line helps to
# guess the next; all four servers load it. The mail host with two TLSA sets
# stands in the middle.
#
#     awk -v rounds=40000 -v digest=HEX -f types.awk

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

function round(i,    n) {
    n = "n" i
    print n " A 203.0.113." next_random(256)
    print n " AAAA 2001:db8:" sprintf("%x", next_random(65536)) "::80"
    print n " AFSDB 1 afs." n
    print n " APL 1:192.0.2.0/24 !2:2001:db8::/32"
    print n " CAA 0 issue \"ca" next_random(10) ".example.net; validationmethods=dns-01\""
    print n " CERT PKIX " next_random(65536) " RSASHA256 " base64(300)
    print "alias." n " CNAME " n
    print "d." n " DNAME " n
    print n " DHCID " base64(46) "Q="
    print "sub." n " NS ns1.sub." n
    print "ns1.sub." n " A 198.51.100." next_random(256)
    print "sub." n " DS " next_random(65536) " 13 2 " hex(8)
    print n " EUI48 00-00-5e-00-53-" sprintf("%02x", next_random(256))
    print n " EUI64 00-00-5e-ef-10-00-00-" sprintf("%02x", next_random(256))
    print n " HINFO \"PC\" \"Linux\""
    print n " HTTPS 1 . alpn=\"h2,h3\" ipv4hint=203.0.113." next_random(256)
    print n " IPSECKEY 10 1 2 192.0.2." next_random(256) " " base64(44)
    print n " KX 10 kx." n
    print n " L32 10 10.1.2." next_random(256)
    print n " L64 10 2001:0db8:1140:" sprintf("%04x", next_random(65536))
    print n " LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"
    print n " LP 10 l64." n
    print n " MINFO rmail." n " emails." n
    print n " MX 10 " n
    print n " NAPTR 100 50 \"s\" \"SIP+D2U\" \"\" _sip._udp." n
    print n " NID 10 0014:4fff:ff20:" sprintf("%04x", next_random(65536))
    print hex(7) "._openpgpkey." n " OPENPGPKEY " base64(400)
    print "ptr." n " PTR " n ".example.net."
    print n " RP hostmaster." n " txt." n
    print n " RT 10 relay." n
    print "_sip._tcp." n " SRV 10 60 5060 " n
    print hex(7) "._smimecert." n " SMIMEA 3 0 0 " hex(60)
    print n " SSHFP 4 2 " hex(8)
    print n " SVCB 2 svc." n ". port=8443"
    print "_25._tcp." n " TLSA 3 1 1 " hex(8)
    print n " TXT \"v=spf1 mx ip4:203.0.113." next_random(256) " -all\""
    print n " URI 10 1 \"https://www." n ".example.org/path\""
    print n " TYPE65333 \\# 4 " hex(1)
}

function mail_host() {
    print "mail A 192.0.2.25"
    print "mail AAAA 2001:db8::25"
    print "_25._tcp.mail TLSA 3 1 1 " digest
    print "_465._tcp.mail TLSA 3 1 1 " digest
}

BEGIN {
    state = 20251231
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    print "$ORIGIN types.example."
    print "$TTL 3600"
    print "@ SOA ns1 hostmaster 2026111801 1800 900 604800 86400"
    print "@ NS ns1"
    print "@ NS ns2"
    print "ns1 A 192.0.2.53"
    print "ns2 A 198.51.100.53"
    for (i = 0; i < rounds; i++) {
        if (i == int(rounds / 2)) mail_host()
        round(i)
    }
}
