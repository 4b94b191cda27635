# Many zones of 60 lines, one file each: z1.example.zone, z2.example.zone, ...
#
#     awk -v zones=10000 -v digest=HEX -f small.awk   # into the current folder

BEGIN {
    for (zone = 1; zone <= zones; zone++) {
        file = "z" zone ".example.zone"
        print "$TTL 3600" > file
        print "@ IN SOA ns1 hostmaster 2026111801 7200 1800 1209600 3600" > file
        print "@ IN NS ns1" > file
        print "@ IN NS ns2" > file
        print "@ IN MX 10 mail" > file
        print "ns1 IN A 192.0.2.53" > file
        print "ns2 IN A 198.51.100.53" > file
        print "mail IN A 192.0.2.25" > file
        print "_25._tcp.mail IN TLSA 3 1 1 " digest > file
        for (host = 1; host <= 51; host++) print "host" host " IN A 203.0.113." host > file
        close(file)
    }
}
