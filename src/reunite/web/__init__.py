"""The pages: server-rendered, in Chinese and English, complete without JavaScript."""
