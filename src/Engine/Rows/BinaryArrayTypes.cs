// Npgsql marks the seam for types of one's own as experimental. Its public way would take every value apart only to make the same bytes
// of it again; tests/Integration/Apply/CommitAtOnceTests would see a change of it.
#pragma warning disable NPG9001
using Npgsql;
using Npgsql.Internal;
using Npgsql.Internal.Postgres;

namespace Cdc.Engine.Rows;

/// <summary>Lets Npgsql send a <see cref="BinaryArray"/> as a parameter of any array type.</summary>
internal sealed class BinaryArrayTypes : PgTypeInfoResolverFactory
{
    public static void AddTo(NpgsqlDataSourceBuilder builder) => builder.AddTypeInfoResolverFactory(new BinaryArrayTypes());

    public override IPgTypeInfoResolver CreateResolver() => new Resolver();

    public override IPgTypeInfoResolver? CreateArrayResolver() => null;

    private sealed class Resolver : IPgTypeInfoResolver
    {
        public PgTypeInfo? GetTypeInfo(Type? type, DataTypeName? dataTypeName, PgSerializerOptions options) =>
            type == typeof(BinaryArray) && dataTypeName is { IsArray: true } name
                ? new PgTypeInfo(options, new Converter(), new PgTypeId(name)) { SupportsReading = false }
                : null;
    }

    private sealed class Converter() : PgStreamingConverter<BinaryArray>(customDbNullPredicate: false)
    {
        public override Size GetSize(SizeContext context, BinaryArray value, ref object? writeState) => Size.Create(value.Length);

        public override void Write(PgWriter writer, BinaryArray value)
        {
            Span<byte> header = stackalloc byte[BinaryArray.HeaderLength];
            value.WriteHeader(header);
            writer.WriteBytes(header);
            writer.WriteBytes(value.Elements);
        }

        public override async ValueTask WriteAsync(PgWriter writer, BinaryArray value, CancellationToken cancellationToken = default)
        {
            var header = new byte[BinaryArray.HeaderLength];
            value.WriteHeader(header);
            await writer.WriteBytesAsync(header, cancellationToken);
            await writer.WriteBytesAsync(value.ElementsMemory, cancellationToken);
        }

        public override BinaryArray Read(PgReader reader) => throw new NotSupportedException("It is only written.");

        public override ValueTask<BinaryArray> ReadAsync(PgReader reader, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException("It is only written.");
    }
}
