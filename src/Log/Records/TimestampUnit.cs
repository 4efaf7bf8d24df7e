namespace Cdc.Log.Records;

/// <summary>In which unit columns of type timestamp are in a topic.</summary>
public enum TimestampUnit
{
    /// <summary>As Debezium's time.precision.mode=adaptive_time_microseconds: exact.</summary>
    Micros,

    /// <summary>
    /// As Debezium's time.precision.mode=connect, for readers that know no other unit. Where microseconds are lost, <c>exact</c> has them.
    /// </summary>
    Millis,
}
