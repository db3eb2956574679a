/** Whole statements: SELECT, FROM, WHERE, SET, nested queries, payloads that are not JSON. */
import type { StatementGroup } from './sql-cases.ts';

const COLOR = '{"color":"red", "temperature":50}';
const SENSORS =
  '{"e":[{"n":"temperature","u":"Cel","t":1234,"v":22.5},{"n":"light","u":"lm","t":1235,"v":135},{"n":"acidity","u":"pH","t":1235,"v":7}]}';
const NESTED = '{"data1":"example","data2":{"a":"first","b":"second","c":[{"x":{"i":5},"y":true},{"x":{"i":10},"y":false}]}}';
const BINARY = Buffer.from([0xff, 0x00, 0x80, 0x41]);

export const STATEMENT_CASES: readonly StatementGroup[] = [
  {
    section: 'iot-sql-select',
    cases: [
      ["SELECT * FROM 'topic/subtopic'", COLOR, '{"color":"red","temperature":50}'],
      ["SELECT color FROM 'topic/subtopic'", COLOR, '{"color":"red"}'],
      ["SELECT color AS my_color FROM 'topic/subtopic'", COLOR, '{"my_color":"red"}'],
      ["SELECT color as my_color, temperature as fahrenheit FROM 't'", COLOR, '{"my_color":"red","fahrenheit":50}'],
      ["SELECT *, 15 as speed FROM 't'", COLOR, '{"color":"red","temperature":50,"speed":15}'],
      ["SELECT VALUE color FROM 't'", COLOR, '"red"'],
      ["SELECT color.red as red_value FROM 't'", '{"color":{"red":255,"green":0}}', '{"red_value":255}'],
      [
        "SELECT (temperature - 32) * 5 / 9 AS celsius, upper(color) as my_color FROM 't'",
        COLOR,
        '{"celsius":10,"my_color":"RED"}',
      ],
      ["SELECT color AS c, nothing AS n FROM 't'", COLOR, '{"c":"red"}'],
      ["SELECT nothing FROM 't'", COLOR, '{}'],
      ["SELECT VALUE nothing FROM 't'", COLOR, ''],
      ["SELECT VALUE 5 FROM 't'", COLOR, '5'],
      ["SELECT VALUE * FROM 't'", COLOR, '{"color":"red","temperature":50}'],
      ["SELECT 'green' AS color, * FROM 't'", COLOR, '{"color":"red","temperature":50}'],
      ["SELECT *, 'green' AS color FROM 't'", COLOR, '{"color":"green","temperature":50}'],
      ["SELECT *, nothing AS color FROM 't'", COLOR, '{"color":"red","temperature":50}'],
      ["select COLOR, color from 't'", COLOR, '{"color":"red"}'],
      [
        "SELECT true AS state.reported.on, color AS state.reported.color FROM 't'",
        COLOR,
        '{"state":{"reported":{"on":true,"color":"red"}}}',
      ],
      ["SELECT NULL AS n FROM 'topic/subtopic'", COLOR, '{"n":null}'],
      ["SELECT a AS x, b AS x FROM 't'", '{"a":1,"b":2}', '{"x":2}'],
      ["SELECT a AS __proto__.b FROM 't'", '{"a":1}', '{"__proto__":{"b":1}}'],
      ["SELECT value, value.x AS y, value * 2 AS z FROM 't'", '{"value":3}', '{"value":3,"z":6}'],
      ["SELECT value FROM 't'", '{"value":3}', '{"value":3}'],
      ["SELECT VALUE value FROM 't'", '{"value":3}', '3'],
      ['SELECT * WHERE color = "red"', COLOR, '{"color":"red","temperature":50}'],
      ['SELECT\n\tcolor\r\nFROM\n"t"\nWHERE\n1=1', COLOR, '{"color":"red"}'],
      ["SELECT * FROM 't'", '{"with space":1,"a-b":2}', '{"with space":1,"a-b":2}'],
      ["SELECT get(*, 'a-b') AS ab FROM 't'", '{"a-b":2}', '{"ab":2}'],
      ["SELECT größe FROM 't'", '{"größe":2}', '{"größe":2}'],
    ],
  },
  {
    section: 'iot-sql-select (chosen: the keys of items without AS)',
    cases: [
      ["SELECT color.red FROM 't'", '{"color":{"red":255}}', '{"red":255}'],
      ["SELECT upper(color) FROM 't'", COLOR, '{"upper":"RED"}'],
      ["SELECT color, temperature + 1, cast(temperature AS String) FROM 't'", COLOR, '{"color":"red","_1":51,"cast":"50"}'],
      ["SET @v = 7 SELECT @v FROM 't'", COLOR, '{"v":7}'],
      ["SELECT * AS message, topic() AS topic FROM 't'", COLOR, '{"message":{"color":"red","temperature":50},"topic":"t"}'],
    ],
  },
  {
    section: 'iot-sql-json: "." operator, dotted aliases',
    cases: [
      ["SELECT foo.bar AS bar.baz FROM 't'", '{"foo":{"bar":"RED","bar1":"GREEN"}}', '{"bar":{"baz":"RED"}}'],
      ["SELECT *, 1 AS foo.x FROM 't'", '{"foo":{"bar":2}}', '{"foo":{"bar":2,"x":1}}'],
      ["SELECT 1 AS a, 2 AS a.b FROM 't'", '{}', '{"a":{"b":2}}'],
      [
        'SELECT * FROM \'t\' WHERE get(get(get(mydata,"item2"),"0"),"my-key") = "myValue"',
        '{"mydata":{"item2":{"0":{"my-key":"myValue"}}}}',
        '{"mydata":{"item2":{"0":{"my-key":"myValue"}}}}',
      ],
      [
        'SELECT temp, md5(deviceid) AS hashed_id FROM topic/#',
        '{"deviceid":"iot123","temp":54.98}',
        '{"temp":54.98,"hashed_id":"e37f81fb397e595c4aeb5645b8cbbbd1"}',
      ],
    ],
  },
  {
    section: 'iot-sql-where',
    cases: [
      ["SELECT color AS c FROM 't' WHERE temperature > 50 AND color <> 'red'", COLOR, null],
      ["SELECT color AS c FROM 't' WHERE temperature >= 50 AND color = 'red'", COLOR, '{"c":"red"}'],
      ["SELECT color AS c FROM 't' WHERE c = 'red'", COLOR, null],
      ["SELECT * FROM 't' WHERE nothing > 1", COLOR, null],
      ["SELECT * FROM 't' WHERE NOT nothing > 1", COLOR, null],
      ["SELECT * FROM 't' WHERE color", COLOR, null],
      ["SELECT * FROM 't' WHERE 1", COLOR, null],
      ["SELECT * FROM 't' WHERE null", COLOR, null],
      ["SELECT 1 AS a FROM 't' WHERE true", COLOR, '{"a":1}'],
      [
        "SELECT decode(encode(*, 'base64'), 'base64') AS value FROM 't' WHERE decode(encode(*, 'base64'), 'base64') > 50",
        '80',
        '{"value":80}',
      ],
    ],
  },
  {
    section: 'iot-sql-case',
    cases: [
      [
        "SELECT CASE color WHEN 'green' THEN 'go' WHEN 'yellow' THEN 'caution' WHEN 'red' THEN 'stop' ELSE 'you are not at a stop light' END as instructions FROM 't'",
        '{"color":"yellow"}',
        '{"instructions":"caution"}',
      ],
    ],
  },
  {
    section: 'iot-sql-literals',
    cases: [
      [
        "SELECT {'latitude': get(lat_long, 0),'longitude':get(lat_long, 1)} as lat_long FROM 't'",
        '{"lat_long":[47.606,-122.332]}',
        '{"lat_long":{"latitude":47.606,"longitude":-122.332}}',
      ],
      ["SELECT [lat,long] as lat_long FROM 't'", '{"lat":47.696,"long":-122.332}', '{"lat_long":[47.696,-122.332]}'],
    ],
  },
  {
    section: 'iot-sql-nested-queries',
    cases: [
      ["SELECT (SELECT VALUE n FROM e) as sensors FROM 'my/topic'", SENSORS, '{"sensors":["temperature","light","acidity"]}'],
      ["SELECT (SELECT v FROM e WHERE n = 'temperature') as temperature FROM 't'", SENSORS, '{"temperature":[{"v":22.5}]}'],
      ["SELECT get((SELECT v FROM e WHERE n = 'temperature'), 0).v as temperature FROM 't'", SENSORS, '{"temperature":22.5}'],
      ["SELECT (SELECT VALUE v FROM e WHERE n = 'none') as x FROM 't'", SENSORS, '{"x":[]}'],
      [
        "SELECT VALUE (SELECT * FROM e WHERE v > 10 AND u <> 'lm') FROM 't'",
        SENSORS,
        '[{"n":"temperature","u":"Cel","t":1234,"v":22.5}]',
      ],
      [
        "SELECT (SELECT v AS value.of, n FROM e WHERE t = 1234) AS r FROM 't'",
        SENSORS,
        '{"r":[{"value":{"of":22.5},"n":"temperature"}]}',
      ],
      ["SELECT (SELECT VALUE * FROM list WHERE true) AS r FROM 't'", '{"list":[1,"a",{"b":2}]}', '{"r":[1,"a",{"b":2}]}'],
      ["SELECT (SELECT a FROM list) AS r FROM 't'", '{"list":[{"a":1},{"b":2},3]}', '{"r":[{"a":1},{},{}]}'],
      ["SELECT (SELECT VALUE a FROM list) AS r FROM 't'", '{"list":[{"a":1},{"b":2},3]}', '{"r":[1]}'],
      ["SELECT (SELECT a FROM text) AS r FROM 't'", '{"text":"a"}', '{}'],
      ["SELECT (SELECT a, b FROM data2) AS r FROM 't'", NESTED, '{"r":{"a":"first","b":"second"}}'],
      ["SELECT (SELECT a FROM data2 WHERE b = 'x') AS r FROM 't'", NESTED, '{}'],
      ["SELECT (SELECT VALUE (SELECT VALUE i FROM x) FROM data2.c) AS r FROM 't'", NESTED, '{"r":[5,10]}'],
      [
        "SELECT (SELECT (SELECT VALUE b FROM inner) AS bs FROM list) AS r FROM 't'",
        '{"list":[{"inner":[{"b":1},{"b":2}]}]}',
        '{"r":[{"bs":[1,2]}]}',
      ],
      ["SELECT (SELECT VALUE * FROM [3, 4]) AS r FROM 't'", '{}', '{"r":[3,4]}'],
      ["SELECT (SELECT VALUE data1 FROM data2.c) AS r, data1 FROM 't'", NESTED, '{"r":[],"data1":"example"}'],
      [
        "select value transform('enrichArray', (select a, b from data2), (select value c from data2)) from 'A/B'",
        NESTED,
        '[{"x":{"i":5},"y":true,"a":"first","b":"second"},{"x":{"i":10},"y":false,"a":"first","b":"second"}]',
      ],
    ],
  },
  {
    section: 'iot-sql-set',
    cases: [
      ["SET @x = temperature * 2 SELECT @x AS double FROM 't' WHERE @x > 99", COLOR, '{"double":100}'],
      ["SET @x = temperature * 2 SELECT @x AS double FROM 't' WHERE @x > 100", COLOR, null],
      ["SET @a = 1, @b = @a + 1, @c = @a + @b SELECT @c AS c FROM 't'", COLOR, '{"c":3}'],
      ["SET @e = e SELECT (SELECT VALUE v FROM @e WHERE t = 1234) AS v FROM 't'", SENSORS, '{"v":[22.5]}'],
      ["SET @least = 10 SELECT (SELECT VALUE n FROM e WHERE v > @least) AS n FROM 't'", SENSORS, '{"n":["temperature","light"]}'],
      ["SET @first = get(e, 0) SELECT @first.n AS n FROM 't'", SENSORS, '{"n":"temperature"}'],
      ["SET @n = data1 SELECT (SELECT VALUE @n FROM data2.c) AS r FROM 't'", NESTED, '{"r":["example","example"]}'],
      ["set @u = nothing select isUndefined(@u) as r from 't'", '{}', '{"r":true}'],
      [`SET @${'v'.repeat(64)} = 1 SELECT @${'v'.repeat(64)} AS r FROM 't'`, '{}', '{"r":1}'],
    ],
  },
  {
    section: 'iot-rule-sql-version: the first version',
    version: '2015-10-08',
    cases: [
      ["SELECT VALUE color FROM 't'", COLOR, '"red"'],
      ["SELECT VALUE list FROM 't'", '{"list":[1]}', ''],
      ["SELECT list FROM 't'", '{"list":[1,2.50]}', '{"list":[1,2.50]}'],
      ["SELECT * FROM 't'", '{"a":10.0,"b":1.10,"c":[0.0]}', '{"a":10.0,"b":1.10,"c":[0.0]}'],
      ["SET @x = 1 SELECT @x AS x FROM 't'", '{}', '{"x":1}'],
    ],
  },
  {
    section: 'iot-rule-sql-version: arrays as whole result',
    cases: [["SELECT VALUE arr FROM 'topic'", '{"a":{"b":"c"},"arr":[1,2,3,4]}', '[1,2,3,4]']],
  },
  {
    section: 'binary-payloads',
    cases: [
      ["SELECT * FROM 't'", BINARY, '\u00ff\u0000\u0080A'],
      ["SELECT encode(*, 'base64') AS data, timestamp() AS ts FROM 't'", BINARY, '{"data":"/wCAQQ==","ts":0}'],
      ["SELECT * FROM 't' WHERE timestamp() % 12 = 0", BINARY, '\u00ff\u0000\u0080A'],
      ["SELECT * FROM 't' WHERE device_type = 'thermostat'", BINARY, null],
      ["SELECT decode(encode(*, 'base64'), 'base64') AS payload FROM 't'", 'hello', '{"payload":"hello"}'],
      ["SELECT *, topic() AS topic FROM 't'", '', '{"topic":"t"}'],
      ["SELECT * FROM 't'", '', ''],
      ["SELECT a FROM 't'", BINARY, '{}'],
      ["SELECT encode(*, 'base64') AS data FROM 't'", COLOR, '{"data":"eyJjb2xvciI6InJlZCIsICJ0ZW1wZXJhdHVyZSI6NTB9"}'],
    ],
  },
  {
    section: 'binary-payloads, iot-sql-select (chosen)',
    cases: [
      ["SELECT *, topic() AS topic FROM 't'", BINARY, '{"topic":"t"}'],
      ["SELECT * FROM 't'", '80', '80'],
      ["SELECT * FROM 't'", '"text"', '"text"'],
      ["SELECT * FROM 't'", '[1, 2]', '[1,2]'],
      ["SELECT *, 1 AS a FROM 't'", '[1, 2]', '{"a":1}'],
      ["SELECT VALUE get(*, 1) FROM 't'", '[1, 2]', '2'],
      ["SELECT * FROM 't'", '{broken', '{broken'],
      ["SELECT a FROM 't'", '{broken', '{}'],
    ],
  },
  {
    section: 'iot-sql-data-types: payloads that are odd JSON (chosen)',
    cases: [
      ["SELECT * FROM 't'", '{"a":1,"a":2}', '{"a":2}'],
      ["SELECT * FROM 't'", '{"__proto__":{"x":1},"b":2}', '{"__proto__":{"x":1},"b":2}'],
      ["SELECT *, 1 AS c FROM 't'", '{"__proto__":{"x":1}}', '{"__proto__":{"x":1},"c":1}'],
      ["SELECT x FROM 't'", '{"__proto__":{"x":1}}', '{}'],
      ["SELECT __proto__.x AS x FROM 't'", '{"__proto__":{"x":1}}', '{"x":1}'],
      ["SELECT a FROM 't'", '{"a":"\\ud800"}', '{"a":"\\ud800"}'],
      ["SELECT a FROM 't'", '{"a":1e99999}', '{}'],
      ["SELECT a FROM 't'", `{"a":${'['.repeat(63)}${']'.repeat(63)}}`, `{"a":${'['.repeat(63)}${']'.repeat(63)}}`],
      ["SELECT a FROM 't'", `{"a":${'['.repeat(64)}${']'.repeat(64)}}`, '{}'],
      ["SELECT * FROM 't'", `{"a":"${'['.repeat(100)}"}`, `{"a":"${'['.repeat(100)}"}`],
      ["SELECT a FROM 't'", '{"a":12345678901234567890123456789012345}', '{"a":1.234567890123456789012345678901234E+34}'],
    ],
  },
];
