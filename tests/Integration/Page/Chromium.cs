using Cdc.Tests.Support.Postgres;
using Microsoft.Playwright;
using Xunit;

namespace Cdc.Tests.Integration.Page;

/// <summary>A real browser, started at first use: the one that CDC_CHROMIUM names, or Debian's.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private IPlaywright? _driver;
    private IBrowser? _browser;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <exception cref="MissingPrerequisiteException">There is none.</exception>
    public async Task<ViewedPage> OpenAsync(Uri address, BrowserNewContextOptions? options = null)
    {
        var program = Environment.GetEnvironmentVariable("CDC_CHROMIUM") ?? "/usr/bin/chromium";
        if (!File.Exists(program))
            throw new MissingPrerequisiteException(
                "There is no Chromium: install Debian's package chromium, or set CDC_CHROMIUM to its path."
            );
        _driver ??= await Playwright.CreateAsync();
        _browser ??= await _driver.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = program });
        return await ViewedPage.OpenAsync(_browser, address, options ?? new BrowserNewContextOptions());
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _driver?.Dispose();
    }
}
