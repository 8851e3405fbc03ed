// SPDX-License-Identifier: BSD-3-Clause
// Geo commands: replies and errors to the letter, events.
#include "commands/testing/command_fixture.h"

namespace backplane {
namespace {

class GeoCommandsTest : public CommandTest {
 protected:
  void SetUp() override { Do("GEOADD S 13.361389 38.115556 Palermo 15.087269 37.502669 Catania"); }
};

TEST_F(GeoCommandsTest, Positions) {
  Check(R"(
    GEOADD S 13.361389 38.115556 Palermo => :0|
    GEOADD S CH 13.5 38 Palermo => :1|
    GEOADD S NX 1 1 Palermo 2 2 new => :1|
    GEOADD S XX CH 1 1 other 3 3 new => :1|
    TYPE S => +zset|
    ZSCORE S Catania => $16|3479447370796909|
    GEOPOS S Palermo none => \
      *2|*2|$20|13.50000053644180298|$19|38.0000009925631943|*-1|
    GEOPOS none a => *1|*-1|
    GEOHASH S Catania none => *2|$11|sqdtr74hyu0|$-1|
    GEODIST S Palermo Catania => $11|150148.5551|
    GEODIST S Palermo Catania km => $8|150.1486|
    GEODIST S Palermo Palermo MI => $6|0.0000|
    GEODIST S Palermo none => $-1|
    GEODIST none a b ft => $-1|
  )");
}

TEST_F(GeoCommandsTest, Search) {
  Check(R"(
    GEOSEARCH S FROMLONLAT 15 37 BYRADIUS 200 km ASC => *2|$7|Catania|$7|Palermo|
    GEOSEARCH S FROMLONLAT 15 37 BYRADIUS 200 km DESC COUNT 1 => *1|$7|Palermo|
    GEOSEARCH S FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1 => *1|$7|Catania|
    GEOSEARCH S FROMMEMBER Palermo BYBOX 400 400 km ASC WITHDIST WITHHASH => \
      *2|*3|$7|Palermo|$6|0.0000|:3479099956230698|*3|$7|Catania|$8|166.2742|:3479447370796909|
    GEOSEARCH S FROMMEMBER Palermo BYRADIUS 1 m WITHCOORD => \
      *1|*2|$7|Palermo|*2|$20|13.36138933897018433|$20|38.11555639549629859|
    GEOSEARCH none FROMMEMBER x BYRADIUS 1 km => *0|
    GEORADIUS S 15 37 200 km WITHDIST ASC => \
      *2|*2|$7|Catania|$7|56.4413|*2|$7|Palermo|$8|190.4424|
    GEORADIUS_RO S 15 37 100 km => *1|$7|Catania|
    GEORADIUSBYMEMBER S Palermo 100 km => *1|$7|Palermo|
    GEORADIUSBYMEMBER_RO S Palermo 200 km DESC => *2|$7|Catania|$7|Palermo|
    GEORADIUS none 15 37 200 km => *0|
    GEORADIUSBYMEMBER none x y z => *0|
  )");
}

TEST_F(GeoCommandsTest, Store) {
  Check(R"(
    GEOSEARCHSTORE d S FROMLONLAT 15 37 BYRADIUS 200 km => :2|
    GEODIST d Palermo Catania => $11|166274.1516|
    GEOSEARCHSTORE d S FROMLONLAT 15 37 BYRADIUS 100 km STOREDIST => :1|
    ZRANGE d 0 -1 => *1|$7|Catania|
    ZCOUNT d 56.44 56.45 => :1|
    GEORADIUS S 15 37 200 km STORE e => :2|
    GEORADIUS S 15 37 200 km COUNT 1 STOREDIST e => :1|
    GEOSEARCHSTORE d none FROMLONLAT 1 1 BYRADIUS 1 km => :0|
    EXISTS d => :0|
  )");
  CheckEffects("geoadd S 1 1 x", {"z zadd S"}, 1);
  CheckEffects("geosearchstore d S fromlonlat 1 1 byradius 1 km", {"z geosearchstore d"}, 1);
  CheckEffects("georadius S 50 50 1 km store d", {"g del d"}, 1);
  CheckEffects("georadius S 1 1 1 km store d", {"z georadiusstore d"}, 1);
  CheckEffects("georadius S 1 1 1 km", {}, 0);
}

TEST_F(GeoCommandsTest, Errors) {
  Check(R"(
    GEOADD S NX XX 1 2 a => -ERR syntax error|
    GEOADD S NX 1 2 => -ERR syntax error|
    GEOADD S INCR 1 2 a => -ERR syntax error|
    GEOADD S 181 2 a => -ERR invalid longitude,latitude pair 181.000000,2.000000|
    GEOADD S 1 x a => -ERR value is not a valid float|
    GEODIST S a b furlong => -ERR unsupported unit provided. please use M, KM, FT, MI|
    GEODIST S a b km x => -ERR syntax error|
    GEOSEARCH S FROMMEMBER none BYRADIUS 1 km => \
      -ERR could not decode requested zset member|
    GEOSEARCH S FROMLONLAT 1 1 FROMMEMBER Palermo BYRADIUS 1 km => -ERR syntax error|
    GEOSEARCH S FROMLONLAT 1 1 BYRADIUS 1 km BYBOX 1 1 km => -ERR syntax error|
    GEOSEARCH S ASC ASC ASC ASC ASC => \
      -ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH|
    GEOSEARCH S FROMLONLAT 1 1 ASC ASC => \
      -ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH|
    GEOSEARCH S FROMLONLAT 1 1 BYRADIUS -1 km => -ERR radius cannot be negative|
    GEOSEARCH S FROMLONLAT 1 1 BYRADIUS x km => -ERR need numeric radius|
    GEOSEARCH S FROMLONLAT 1 1 BYBOX x 1 km => -ERR need numeric width|
    GEOSEARCH S FROMLONLAT 1 1 BYBOX 1 x km => -ERR need numeric height|
    GEOSEARCH S FROMLONLAT 1 1 BYBOX 1 -1 km => -ERR height or width cannot be negative|
    GEOSEARCH S FROMLONLAT 1 1 BYRADIUS 1 km COUNT 0 => -ERR COUNT must be > 0|
    GEOSEARCH S FROMLONLAT 1 1 BYRADIUS 1 km ANY => \
      -ERR the ANY argument requires COUNT argument|
    GEOSEARCH S FROMLONLAT 1 1 BYRADIUS 1 km STOREDIST => -ERR syntax error|
    GEOSEARCHSTORE d S FROMLONLAT 1 1 BYRADIUS 1 km WITHDIST => -ERR GEOSEARCHSTORE is not \
compatible with WITHDIST, WITHHASH and WITHCOORD options|
    GEORADIUS S 1 1 1 km STORE d WITHDIST => -ERR STORE option in GEORADIUS is not \
compatible with WITHDIST, WITHHASH and WITHCOORD options|
    GEORADIUS_RO S 1 1 1 km STORE d => -ERR syntax error|
    GEORADIUS S 1 1 1 km BYBOX 1 1 km => -ERR syntax error|
    RPUSH l x => :1|
    GEOADD l 1 2 a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    GEOPOS l a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    GEODIST l a b => -WRONGTYPE Operation against a key holding the wrong kind of value|
    GEOHASH l a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    GEORADIUS l a b c d => -WRONGTYPE Operation against a key holding the wrong kind of value|
    GEOSEARCH l a b c d e => -WRONGTYPE Operation against a key holding the wrong kind of value|
  )");
}

}  // namespace
}  // namespace backplane
