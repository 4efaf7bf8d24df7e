using Cdc.Tests.Support.Containers;
using Xunit;

namespace Cdc.Tests.Unit.Support;

/// <summary>Where a test run's servers come from.</summary>
public sealed class ServerOriginTests
{
    [Fact]
    public void Without_any_variable_tests_start_programs_of_this_machine() =>
        Assert.Equal(new ServerOrigins(ServerOrigin.Own, ServerOrigin.Own, ServerOrigin.Own), Of([]));

    [Fact]
    public void Containers_are_used_for_every_server_that_no_variable_names()
    {
        Assert.Equal(
            new ServerOrigins(ServerOrigin.Container, ServerOrigin.Container, ServerOrigin.Container),
            Of(new() { ["CDC_TEST_CONTAINERS"] = "1" })
        );
        Assert.Equal(
            new ServerOrigins(ServerOrigin.Given, ServerOrigin.Container, ServerOrigin.Given),
            Of(
                new()
                {
                    ["CDC_TEST_CONTAINERS"] = "1",
                    ["CDC_TEST_SOURCE"] = "Host=odoo",
                    ["CDC_TEST_KAFKA"] = "kafka:9092",
                }
            )
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    public void Nothing_and_zero_ask_for_no_containers(string value) =>
        Assert.Equal(
            new ServerOrigins(ServerOrigin.Own, ServerOrigin.Given, ServerOrigin.Own),
            Of(
                new()
                {
                    ["CDC_TEST_CONTAINERS"] = value,
                    ["CDC_TEST_SOURCE"] = "",
                    ["CDC_TEST_ENGINE"] = "Host=engine",
                }
            )
        );

    [Fact]
    public void Another_word_is_refused_instead_of_being_guessed() =>
        Assert.Contains("'yes'", Assert.Throws<ArgumentException>(() => Of(new() { ["CDC_TEST_CONTAINERS"] = "yes" })).Message);

    private static ServerOrigins Of(Dictionary<string, string> environment) => ServerOrigins.Of(environment.GetValueOrDefault);
}
