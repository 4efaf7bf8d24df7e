using System.Collections.Concurrent;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Cdc.Tests.Integration.Page;

/// <summary>The page in a browser. Whatever the browser complains of (scripts, its content security policy, requests) is kept.</summary>
public sealed class ViewedPage : IAsyncDisposable
{
    private const float Patience = 30_000;

    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _complaints = new();

    private ViewedPage(IBrowserContext context, IPage page) => (_context, Page) = (context, page);

    public IPage Page { get; }

    public IReadOnlyCollection<string> Complaints => _complaints;

    internal static async Task<ViewedPage> OpenAsync(IBrowser browser, Uri address, BrowserNewContextOptions options)
    {
        var context = await browser.NewContextAsync(options);
        var viewed = new ViewedPage(context, await context.NewPageAsync());
        viewed.Page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                viewed._complaints.Enqueue(message.Text);
        };
        viewed.Page.PageError += (_, error) => viewed._complaints.Enqueue(error);
        await viewed.Page.GotoAsync(address.ToString());
        return viewed;
    }

    /// <summary>A part of the page, by its heading.</summary>
    public ILocator Section(string name) => Page.GetByRole(AriaRole.Region, new() { Name = name, Exact = true });

    /// <summary>One of the six numbers at the top.</summary>
    public ILocator Tile(string name) => Page.Locator("#tiles div").Filter(new() { Has = Page.GetByText(name, new() { Exact = true }) });

    public ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    /// <exception cref="InvalidOperationException">It does not; the message has what the browser complained of, too.</exception>
    public async Task ShowsAsync(ILocator where, string text)
    {
        try
        {
            await Expect(where).ToContainTextAsync(text, new() { Timeout = Patience });
        }
        catch (PlaywrightException missing)
        {
            throw new InvalidOperationException($"{missing.Message}\n{string.Join('\n', _complaints)}", missing);
        }
    }

    /// <summary>Where the next key goes.</summary>
    public static Task FocusIsOnAsync(ILocator element) => Expect(element).ToBeFocusedAsync(new() { Timeout = Patience });

    public Task LiveAsync() => ShowsAsync(Page.Locator("#connection"), "Live");

    /// <summary>Where CDC_SCREENSHOTS names a folder, a picture of the whole page is put there.</summary>
    public async Task PictureAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("CDC_SCREENSHOTS") is { Length: > 0 } folder)
            await Page.ScreenshotAsync(new() { Path = System.IO.Path.Combine(folder, name + ".png"), FullPage = true });
    }

    public void AssertNoComplaints() => Assert.True(_complaints.IsEmpty, string.Join('\n', _complaints));

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();
}
