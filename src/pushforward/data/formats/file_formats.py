"""The formats that files have here, and whatever installed packages add (`format.NAME`, see
`core/plugins.py`).

Two ideas: each is one object, and this is where they are listed; their order is that in which they
are asked, and named in help.
"""

from __future__ import annotations

from pushforward.core.registry import Registry
from pushforward.data.formats.format import Format

FORMATS: Registry[Format] = Registry(
    "format",
    of="pushforward.data.formats.format:Format",
    check="pushforward.data.formats.format:require_usable",
)

# a picture of all samples together; the files of pictures to learn from are below
SHEET = FORMATS.add(
    Format(
        "sheet",
        "one picture of all samples: a grid of images, or dots",
        (".png",),
        writes=("arrays",),
        writer="pushforward.data.images.sample_pictures:sheet_bytes",
    )
)
NPZ = FORMATS.add(
    Format(
        "npz",
        "arrays of numpy by name: `x`, `images`, `train_images`, `y`, ...; sparse matrices are made dense",
        (".npz",),
        holds=("image", "points"),
        reader="pushforward.data.npz:read_arrays",
        writes=("arrays",),
        writer="pushforward.data.write:npz_bytes",
    )
)
NPY = FORMATS.add(
    Format(
        "npy",
        "one array of numpy: three or four axes of whole numbers are images",
        (".npy",),
        holds=("image", "points", "table"),
        reader="pushforward.data.npz:read_arrays",
        readers={"table": "pushforward.data.npz:read_columns"},
        writes=("arrays",),
        writer="pushforward.data.write:npy_bytes",
    )
)
_ROWS = ("table", "points", "image")
CSV = FORMATS.add(
    Format(
        "csv",
        "rows of text; delimiter, header and notation are told by what most lines and cells are",
        (".csv",),
        holds=_ROWS,
        reader="pushforward.data.tables.delimited:read_delimited",
        sniffer="pushforward.data.tables.delimited:is_archive_of_rows",
        writes=("rows", "arrays"),
        writer="pushforward.data.write:csv_bytes",
        reads_packed=True,
        writes_packed=True,
    )
)
TSV = FORMATS.add(
    Format(
        "tsv",
        "rows of text between tabs",
        (".tsv", ".tab"),
        holds=_ROWS,
        reader="pushforward.data.tables.delimited:read_delimited",
        writes=("rows",),
        writer="pushforward.data.tables.table_bytes:tsv_bytes",
        reads_packed=True,
        writes_packed=True,
    )
)
DATA = FORMATS.add(
    Format(
        "data",
        "rows of text as the UCI repository names them",
        (".data",),
        holds=_ROWS,
        reader="pushforward.data.tables.delimited:read_delimited",
        reads_packed=True,
    )
)
JSON = FORMATS.add(
    Format(
        "json",
        "records or columns in JSON, and what `DataFrame.to_json` writes",
        (".json",),
        holds=_ROWS,
        reader="pushforward.data.tables.typed_files:read_json",
        writes=("rows",),
        writer="pushforward.data.tables.table_bytes:json_file",
        reads_packed=True,
        writes_packed=True,
    )
)
TEXT = FORMATS.add(
    Format(
        "text",
        "plain text under any name (`.md`, `.log`, no ending); with `-s data.kind=table` or `points` rows",
        (".txt",),
        holds=("text", "table", "points"),
        reader="pushforward.data.text.sources:read_plain",
        readers=dict.fromkeys(
            ("table", "points"), "pushforward.data.tables.delimited:read_delimited"
        ),
        sniffer="pushforward.data.text.recognising:is_plain_text",
        writes=("texts",),
        writer="pushforward.data.text.text_bytes:text_bytes",
        reads_packed=True,
        any_ending=True,
    )
)
JSON_LINES = FORMATS.add(
    Format(
        "jsonl",
        "a JSON object a line: texts, or with `-s data.kind=table` rows",
        (".jsonl", ".ndjson"),
        holds=("text", "table", "points"),
        reader="pushforward.data.text.sources:read_json_lines",
        readers=dict.fromkeys(
            ("table", "points"), "pushforward.data.tables.typed_files:read_json_rows"
        ),
        writes=("rows", "texts"),
        writer="pushforward.data.write:json_lines_bytes",
        reads_packed=True,
    )
)
PARQUET = FORMATS.add(
    Format(
        "parquet",
        "typed columns, in a file or in a folder of parts",
        (".parquet", ".pq"),
        holds=_ROWS,
        reader="pushforward.data.tables.typed_files:read_parquet",
        sniffer="pushforward.data.tables.typed_files:is_folder_of_parts",
        writes=("rows",),
        writer="pushforward.data.tables.table_bytes:parquet_bytes",
        reads_packed=True,
    )
)
FEATHER = FORMATS.add(
    Format(
        "feather",
        "typed columns of Arrow",
        (".feather", ".arrow"),
        holds=_ROWS,
        reader="pushforward.data.tables.typed_files:read_feather",
        writes=("rows",),
        writer="pushforward.data.tables.table_bytes:feather_bytes",
        reads_packed=True,
    )
)
EXCEL = FORMATS.add(
    Format(
        "excel",
        "the first sheet with rows",
        (".xlsx",),
        holds=_ROWS,
        reader="pushforward.data.tables.typed_files:read_excel",
        reads_packed=True,
    )
)
IDX = FORMATS.add(
    Format(
        "idx",
        "the arrays of MNIST: one, a pair with labels, or a folder of them",
        (".idx",),
        holds=("image", "points"),
        reader="pushforward.data.idx:read_idx_source",
        sniffer="pushforward.data.idx:is_idx_source",
    )
)
TEXTS = FORMATS.add(
    Format(
        "folder of texts",
        "a file a document; of many endings the one that most texts have",
        holds=("text",),
        reader="pushforward.data.text.sources:read_text_folder",
        sniffer="pushforward.data.text.recognising:is_folder_of_texts",
        writes=("texts",),
        writer="pushforward.data.text.text_bytes:write_text_folder",
        folder=True,
    )
)
PICTURE = FORMATS.add(
    Format(
        "picture",
        "one picture, or with `-s data.frames=all` the frames of a file",
        (
            *(
                ".png",
                ".jpg",
                ".jpeg",
                ".jpe",
                ".jfif",
                ".bmp",
                ".dib",
                ".gif",
                ".tif",
                ".tiff",
                ".webp",
                ".avif",
            ),
            *(
                ".jp2",
                ".pgm",
                ".ppm",
                ".pbm",
                ".pnm",
                ".tga",
                ".ico",
                ".mpo",
                ".apng",
                ".pcx",
                ".sgi",
                ".dds",
                ".qoi",
            ),
        ),
        holds=("image",),
        reader="pushforward.data.images.folder:read_frames",
    )
)
PICTURES = FORMATS.add(
    Format(
        "folder of pictures",
        "sub-folders are classes; `train`, `val`, `test` are the source's own split",
        holds=("image",),
        reader="pushforward.data.images.folder:read_pictures",
        sniffer="pushforward.data.images.folder:is_other_folder",
        writes=("pictures",),
        writer="pushforward.data.images.sample_pictures:write_picture_folder",
        folder=True,
    )
)
