// What tests share with demo and benchmarks.
global using Cdc.Testing;
global using Cdc.Testing.Equality;
global using Cdc.Testing.Kafka;
global using Cdc.Testing.Postgres;
global using Cdc.Testing.Processes;
global using Cdc.Testing.Waiting;
// A JSON object as Python's dict has it: in the order of its keys.
global using PyDict = System.Collections.Generic.OrderedDictionary<string, object?>;
