"""Packages whose functions modelling code calls for their effect when it is imported; the standard library is not listed."""

KNOWN_PACKAGES = frozenset({
    "Cython", "IPython", "PIL", "absl", "accelerate", "altair", "apex", "attr", "attrs", "bitsandbytes", "bokeh", "click",
    "colab", "colorama", "cv2", "dask", "datasets", "deepspeed", "detectron2", "diffusers", "distutils", "django", "dotenv",
    "einops", "evaluate", "fairseq", "fastapi", "fire", "flash_attn", "flask", "flax", "gevent", "google", "gradio", "gym",
    "gymnasium", "huggingface_hub", "hydra", "hydra_plugins", "hypothesis", "intel_extension_for_pytorch", "ipywidgets",
    "jax", "jaxlib", "joblib", "jupyter_client", "keras", "librosa", "lightning", "loguru", "matplotlib", "megatron",
    "mindspore", "mlflow", "mmcv", "mmdet", "mmengine", "modelscope", "monai", "nemo", "networkx", "nltk", "numba", "numpy",
    "omegaconf", "onnx", "onnxruntime", "onnxscript", "openvino", "optax", "paddle", "pandas", "peft", "pkg_resources",
    "plotly", "polars", "pyarrow", "pybind11", "pydantic", "pytest", "pytorch_lightning", "pyximport", "ray", "resource",
    "rich", "safetensors", "scipy", "seaborn", "sentence_transformers", "setuptools", "six", "skbuild", "sklearn",
    "soundfile", "spacy", "sphinx", "streamlit", "structlog", "sympy", "tensorflow", "tensorflow_datasets", "tf", "timm",
    "tokenizers", "torch", "torch_npu", "torchaudio", "torchvision", "tqdm", "transformers", "triton", "typer", "ultralytics",
    "uvicorn", "vllm", "wandb", "win32com", "xformers", "yaml",
})  # fmt: skip
