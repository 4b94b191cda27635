# A zone as people keep it for decades: a block per department with its own
# $ORIGIN, owners left blank, comments, parentheses over several lines, quoted
# semicolons, TTLs with units. Every name server of today loads it. The mail
# host with two TLSA sets stands at the end.
#
#     awk -v blocks=50000 -v digest=HEX -f human.awk

function next_random(below) {
    state = (state * 16807) % 2147483647
    return state % below
}

function key(    text) {
    text = ""
    while (length(text) < 64) text = text sprintf("%08X", next_random(2147483647))
    return text
}

function block(i,    at, hosts) {
    print ""
    print "; --- department " i " -------------------------------------------"
    print "$ORIGIN d" i ".human.example."
    if (i % 10 == 0) print "$TTL 1d"
    if (i % 10 == 3) print "$TTL 3600 ; an hour is enough here"
    print "@               IN      MX      10 mx1"
    print "                        MX      20 mx2          ; the spare one"
    print "                IN TXT  \"v=spf1 mx ip4:192.0.2.0/24; -all\""
    print "mx1     IN      A       192.0.2." next_random(256)
    print "                AAAA    2001:db8:0:" sprintf("%x", next_random(65536)) "::25"
    print "mx2     1h IN   A       198.51.100." next_random(256)
    hosts = 3 + next_random(6)
    for (at = 1; at <= hosts; at++) {
        print "pc" at "\t\tA\t203.0.113." next_random(256) (next_random(4) ? "" : "\t; room " next_random(400))
        if (next_random(3) == 0) print "\t\tHINFO\t\"PC\" \"Linux; it says\""
    }
    print ";old     IN      A       192.0.2.1 ( was here until 1999"
    print "www     IN      CNAME   pc1"
    print "sel" next_random(9) "._domainkey IN TXT ( \"v=DKIM1; k=rsa; \" ; rotated once"
    print "                \"p=" key() "\""
    print ""
    print "                \"" key() "\" ) ; and closed here"
    print "_sip._tcp       SRV     10 60 5060 pc1"
    print "                SRV     ( 20 60"
    print "                          5060 pc2 )"
}

BEGIN {
    state = 19991231
    print "; The zone of human.example. Change the serial!"
    print "$TTL 2h"
    print "$ORIGIN human.example."
    print "@       IN      SOA     ns1 hostmaster ("
    print "                        2026111801      ; serial (digits like 2026111899 do not count)"
    print "                        2h              ; refresh"
    print "                        30m             ; retry"
    print "                        2w              ; expire"
    print "                        1h )            ; negative"
    print "                NS      ns1"
    print "                NS      ns2"
    print "                MX      10 mail"
    print "ns1             A       192.0.2.53"
    print "ns2             A       198.51.100.53"
    for (i = 1; i <= blocks; i++) block(i)
    print ""
    print "; --- mail ----------------------------------------------------------"
    print "$ORIGIN human.example."
    print "mail            A       192.0.2.25"
    print "                AAAA    2001:db8::25"
    print "_25._tcp.mail   IN TLSA 3 1 1 " digest
    print "_465._tcp.mail  IN TLSA 3 1 1 " digest
    print "; end"
}
