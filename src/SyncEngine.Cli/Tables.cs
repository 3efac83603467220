using Spectre.Console;

namespace SyncEngine.Cli;

/// <summary>Tables in the one style of the program. Cells are plain text.</summary>
internal static class Tables
{
    public static Table Make(params string[] columns)
    {
        var table = new Table { Border = TableBorder.Rounded, BorderStyle = new Style(Color.Grey) };
        foreach (string column in columns)
        {
            bool isNumber = column.StartsWith('#');
            var header = new TableColumn(new Text(isNumber ? column[1..] : column, new Style(decoration: Decoration.Bold)));
            table.AddColumn(isNumber ? header.RightAligned() : header);
        }

        return table;
    }

    public static void Add(Table table, params string[] cells) =>
        table.AddRow(cells.Select(static cell => new Text(cell)));
}
